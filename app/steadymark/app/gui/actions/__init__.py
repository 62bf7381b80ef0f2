"""Actions of the window: shortcuts, menus, drag and drop."""
