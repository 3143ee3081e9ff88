"""How much features move when images and contours do, as acquisition would move them."""
