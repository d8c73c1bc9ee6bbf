import pytest

from vision.system_libraries import missing_library_sentence


@pytest.mark.parametrize(
    ("error", "library"),
    [
        (OSError("libEGL.so.1: cannot open shared object file: No such file or directory"), "libEGL.so.1"),
        (
            OSError("libGLESv2.so.2: cannot open shared object file: No such file or directory"),
            "libGLESv2.so.2",
        ),
        (ImportError("libGL.so.1: cannot open shared object file: No such file or directory"), "libGL.so.1"),
    ],
)
def test_a_missing_graphics_library_is_named_with_one_command_for_all_three(
    error: ImportError | OSError, library: str
) -> None:
    sentence = missing_library_sentence(error)
    assert sentence is not None
    assert library in sentence
    assert "sudo apt-get install -y libegl1 libgl1 libgles2" in sentence


def test_a_library_with_a_number_in_its_name_is_named_whole() -> None:
    error = ImportError("libgthread-2.0.so.0: cannot open shared object file: No such file or directory")
    assert "libgthread-2.0.so.0 is missing" in (missing_library_sentence(error) or "")


def test_an_unknown_library_is_named_with_a_way_to_find_its_package() -> None:
    error = OSError("libodd.so.7: cannot open shared object file: No such file or directory")
    assert "apt-file search libodd.so.7" in (missing_library_sentence(error) or "")


def test_another_error_is_not_explained() -> None:
    assert missing_library_sentence(OSError("No space left on device")) is None
    assert missing_library_sentence(ImportError("No module named 'cv2'")) is None
