"""Rules and models as data: their schema, their loader and the pages made from them."""
