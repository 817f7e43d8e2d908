"""Building read tables anew beside the shown ones, and switching readers over."""
