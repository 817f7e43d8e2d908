"""Errors of proofs, notes and their files."""

from ltc_events.kernel.errors import LtcError


class ProofError(LtcError):
    """the proof does not hold"""

    remedy = "do not rely on what it was to prove; ask for it anew, and keep both"


class Malformed(ProofError):
    """this is no {what}: {problem}"""

    remedy = "use the file as it was written; an editor or a mail program may have changed it"


class RootDiffers(ProofError):
    """the {what} does not lead to the root of {size} leaves that was signed"""


class SignatureInvalid(ProofError):
    """the signature of {name} on the note is not valid"""


class SignatureMissing(ProofError):
    """no signature on the note is by {name}"""

    remedy = "check it with the key of the log that it is of; the note names who signed it"


class QuorumMissing(ProofError):
    """the policy's quorum is not met: signed by {signed}, and {missing} did not"""

    remedy = "ask the witnesses for their signatures (`ltc audit witness`), and then for the proof anew"
