"""The public API of `import steadymark as sm`; `steadymark` lists every public name."""
