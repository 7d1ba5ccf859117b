"""The kernels of all modules are compiled in one namespace, so a name must mean the same in each of them."""

from types import FunctionType

from kexue_cli.segmentation import compilation


def test_a_name_that_two_modules_of_kernels_have_means_the_same_in_both():
    meanings = {}
    for module in compilation.MODULES:
        for name, value in vars(module).items():
            if not name.startswith("__"):
                meanings.setdefault(name, []).append(value)

    differing = {
        name: values
        for name, values in meanings.items()
        if any(value is not values[0] and (isinstance(value, FunctionType) or value != values[0]) for value in values)
    }

    assert differing == {}
