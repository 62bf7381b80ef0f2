"""The public API: what `import steadymark as sm` offers. Every name is listed in `steadymark`."""
