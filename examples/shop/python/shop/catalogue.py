"""Products, read from SQLite."""

import sqlite3

SORTABLE = {"name": "name", "price": "price", "stock": "stock"}


def connect():
    return sqlite3.connect("shop.db")


def search(term, order):
    """Products whose name contains the term."""
    cursor = connect().cursor()
    cursor.execute(f"SELECT sku, name, price FROM product WHERE name LIKE '%{term}%' ORDER BY {order}")
    return cursor.fetchall()


def by_sku(sku):
    """The product of a stock-keeping unit."""
    cursor = connect().cursor()
    cursor.execute("SELECT sku, name, price FROM product WHERE sku = ?", (sku,))
    return cursor.fetchone()


def listed(by):
    """All products in one of the orders that we allow."""
    column = SORTABLE.get(by, "name")
    cursor = connect().cursor()
    cursor.execute(f"SELECT sku, name, price FROM product ORDER BY {column}")
    return cursor.fetchall()
