"""What is made of the answers of an object store that no server here gives: errors as s3fs turns them into Python's."""

import errno
import os

import pytest
from fsspec.spec import AbstractBufferedFile

from seiryu.corpus import remote_files
from seiryu.corpus.errors import InputError, NotWritable
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.remote_files import Patient, end_uploads


class Answers:
    """A file system that gives these answers in turn, the last one for ever."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.asked = list(answers), list[tuple]()

    def unstrip_protocol(self, path: str) -> str:
        return f"s3://{path}"

    def call_s3(self, *arguments: object, **named: object) -> object:
        self.asked.append((*arguments, named))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def cat_file(self, path: str) -> object:
        return self.call_s3(path)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "_PAUSES", (0.01, 0.02))


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_a_bad_request_may_be_a_token_that_is_being_renewed() -> None:
    fs = Answers(os_error(errno.EINVAL), os_error(errno.EINVAL), b"data")
    assert Patient(fs).cat_file("b/a") == b"data"
    assert len(fs.asked) == 3


def test_a_bad_request_is_not_repeated_for_minutes_and_says_nothing_of_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "_MAYBE", 0.1)
    with pytest.raises(Unreachable, match=r"s3://b/a: no answer within 0 s: .*Invalid argument"):
        Patient(Answers(os_error(errno.EINVAL))).cat_file("b/a")


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EMSGSIZE, errno.ENOSYS])
def test_what_no_server_takes_is_asked_once(number: int) -> None:
    fs = Answers(os_error(number))
    with pytest.raises(InputError, match="s3://b/a"):
        Patient(fs).cat_file("b/a")
    assert len(fs.asked) == 1


def test_refused_access_is_told_from_what_is_not_there() -> None:
    with pytest.raises(Forbidden, match="check the credentials"):
        Patient(Answers(os_error(errno.EACCES))).cat_file("b/a")
    with pytest.raises(NotWritable, match="check the credentials"):
        Patient(Answers(os_error(errno.EACCES))).call_s3("put_object")
    with pytest.raises(FileNotFoundError):
        Patient(Answers(FileNotFoundError())).cat_file("b/a")


class Pieces(Answers):
    """A file system whose files are had in pieces, by these answers."""

    def open(self, path: str, mode: str) -> object:
        fetched = self.call_s3

        class File(AbstractBufferedFile):
            def _fetch_range(self, start: int, end: int) -> object:
                return fetched(start, end)

        return File(self, path, mode, size=8, cache_type="none")


def test_pieces_of_a_file_are_waited_for_as_patiently_as_its_beginning() -> None:
    fs = Pieces(os_error(errno.EBUSY), os_error(errno.EIO), b"damaged?", os_error(errno.EACCES))
    file = Patient(fs).open("b/a")
    assert file.read(8) == b"damaged?"
    assert len(fs.asked) == 3
    file.seek(0)
    with pytest.raises(Forbidden, match="s3://b/a: access is refused"):
        file.read(8)
    file = Patient(Pieces(os_error(errno.EBUSY)), patience=0.05).open("b/a")
    with pytest.raises(Unreachable, match="s3://b/a: no answer within 0 s"):
        file.read(8)


LISTED = {"Uploads": [{"Key": "runs/a", "UploadId": "1"}, {"Key": "runs/b", "UploadId": "2"}]}


def test_an_upload_that_ends_meanwhile_ends_nothing_else() -> None:
    fs = Answers(LISTED, FileNotFoundError(), {})
    assert end_uploads(Patient(fs), "bucket/runs") == 1
    assert [call[1]["UploadId"] for call in fs.asked[1:]] == ["1", "2"]


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EACCES])
@pytest.mark.parametrize("before", [(), (LISTED,)])
def test_a_store_that_knows_no_such_thing_or_forbids_it_holds_nobody_up(number: int, before: tuple) -> None:
    assert end_uploads(Patient(Answers(*before, os_error(number))), "bucket/runs") == 0
