"""The Java front end: Java 8 to 21 and JSP pages, lowered to the intermediate representation."""

from glasshouse.scan.language.java.frontend import JavaFrontEnd

__all__ = ["JavaFrontEnd"]
