package dev.countersign.access;

import dev.countersign.error.ForbiddenException;

/** Builds the exception for a refused signature, with AWS's name for what is wrong. */
final class SigV4Refusal {

    private SigV4Refusal() {}

    static ForbiddenException incomplete(String message) {
        return new ForbiddenException("IncompleteSignatureException", message);
    }

    static ForbiddenException invalid(String message) {
        return new ForbiddenException("InvalidSignatureException", message);
    }

    /** The access key or the session credentials are unknown. */
    static ForbiddenException unrecognized(String message) {
        return new ForbiddenException("UnrecognizedClientException", message);
    }
}
