"""Deep learning from one neuron to text-to-image in plain NumPy. Import from the module named after the concept."""

__version__ = "0.1.0"
