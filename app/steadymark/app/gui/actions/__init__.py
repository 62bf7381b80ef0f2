"""The actions of the window: shortcuts, menus, the toolbar, and drag and drop."""
