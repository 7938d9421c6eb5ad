package dev.countersign.error;

import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.countersign.api.model.AccessDeniedError;
import dev.countersign.api.model.BadRequestError;
import dev.countersign.api.model.InternalServiceError;
import dev.countersign.api.model.LimitExceededError;
import dev.countersign.api.model.NotFoundError;
import dev.countersign.api.model.ResourceType;
import io.quarkus.hibernate.validator.runtime.jaxrs.ResteasyReactiveViolationException;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.UnauthorizedException;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.Path;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.WebApplicationException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The reply to a request that failed. {@link #of(Throwable)} also logs what was thrown: a failure of the service with
 * its cause, anything else by its class at DEBUG.
 *
 * @param body one of the contract's error bodies
 * @param headers {@code Content-Type}, {@code x-amzn-ErrorType} (by which AWS clients raise their typed exception), and
 *     what else the status requires
 */
public record ErrorReply(int status, Object body, Map<String, String> headers) {

    /** Parameters that have another name in the API than in Java. */
    private static final Map<String, String> PARAMETERS = Map.of("idempotencyKey", "Idempotency-Key");

    /** Limits stack traces, by the class of the root cause. */
    private static final LogThrottle TRACES = new LogThrottle(Duration.ofSeconds(1));

    private static final Logger LOG = Logger.getLogger(ErrorReply.class);

    /** Returns the reply to an exception, and logs the exception. */
    public static ErrorReply of(Throwable thrown) {
        ErrorReply reply = switch (thrown) {
            case BadRequestException e -> badRequest(message(e));
            case ForbiddenException e -> forbidden(e.type(), message(e));
            case AuthenticationFailedException e
            when e.getCause() instanceof ForbiddenException cause -> forbidden(cause.type(), message(cause));
            case AuthenticationFailedException _ -> badToken();
            case UnauthorizedException _ ->
                forbidden(
                        "MissingAuthenticationTokenException",
                        "Sign the request with AWS Signature Version 4, or send a bearer token");
            case SecurityException _ ->
                forbidden("AccessDeniedException", "The caller's permissions don't cover this operation on this app");
            case ConflictException e -> refused(409, "ConflictException", message(e));
            case TooManyRequestsException e -> limitExceeded(e);
            case NoSuchResourceException e -> notFound(message(e), e.resourceType());
            case ResteasyReactiveViolationException e -> badRequest(violations(e));
            case StreamReadException e -> badRequest("The body is not valid JSON");
            case MismatchedInputException e -> badRequest(mismatch(e));
            case WebApplicationException e -> ofResponse(e);
            default -> unavailable();
        };
        if (reply.status >= 500) {
            warn(thrown, reply.status);
        } else {
            // The message may quote the request, and a code with it.
            LOG.debugf("Answered %d: %s", reply.status, thrown.getClass().getName());
        }
        return reply;
    }

    /** Logs a failure, with its trace once a second for each cause: an outage must not fill the disk. */
    private static void warn(Throwable thrown, int status) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String name = cause.getClass().getName();
        if (TRACES.permits(name)) {
            LOG.warnf(thrown, "Answered %d", status);
        } else {
            LOG.warnf("Answered %d: %s again; its stack trace was logged within the last second", status, name);
        }
    }

    /** Returns the reply to a request that the framework refused with only a status. */
    public static ErrorReply ofStatus(int status) {
        return switch (status) {
            case 400 -> badRequest("The request is malformed");
            case 403 -> forbidden("AccessDeniedException", "The caller may not do this");
            case 404 -> notFound("No such path", null);
            case 405 -> refused(405, "MethodNotAllowedException", "This path does not have that method");
            case 406 ->
                refused(
                        406,
                        "NotAcceptableException",
                        "The reply is application/json, which the Accept header excludes");
            case 413 -> refused(413, "RequestEntityTooLargeException", "The body is larger than the service accepts");
            case 415 ->
                refused(
                        415,
                        "UnsupportedMediaTypeException",
                        "The body must be application/json without Content-Encoding");
            default -> status >= 400 && status < 500 ? badRequest("The request is malformed") : unavailable();
        };
    }

    private static ErrorReply ofResponse(WebApplicationException e) {
        if (e.getCause() instanceof StreamReadException) {
            return badRequest("The body is not valid JSON");
        }
        if (e instanceof NotFoundException && e.getCause() instanceof IllegalArgumentException) {
            // JAX-RS throws this for a parameter of the wrong type.
            return badRequest("A parameter is not what the contract describes");
        }
        return ofStatus(e.getResponse().getStatus());
    }

    private static ErrorReply badRequest(String message) {
        return refused(400, "BadRequestException", message);
    }

    private static ErrorReply refused(int status, String type, String message) {
        BadRequestError body = new BadRequestError();
        body.setMessage(message);
        return of(status, type, body);
    }

    private static ErrorReply forbidden(String type, String message) {
        AccessDeniedError body = new AccessDeniedError();
        body.setMessage(message);
        return of(403, type, body);
    }

    /** The reply to a refused bearer token (RFC 6750, section 3). */
    private static ErrorReply badToken() {
        AccessDeniedError body = new AccessDeniedError();
        body.setMessage("The bearer token was refused. Get a new one from an issuer that this service trusts.");
        return of(401, "UnauthorizedException", body, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
    }

    private static ErrorReply notFound(String message, @Nullable ResourceType resourceType) {
        NotFoundError body = new NotFoundError();
        body.setMessage(message);
        body.setResourceType(resourceType);
        return of(404, "NotFoundException", body);
    }

    private static ErrorReply limitExceeded(TooManyRequestsException e) {
        LimitExceededError body = new LimitExceededError();
        body.setMessage(message(e));
        body.setLimitType(e.limitType());
        return of(429, "TooManyRequestsException", body, "Retry-After", Long.toString(e.retryAfterSeconds()));
    }

    private static ErrorReply unavailable() {
        InternalServiceError body = new InternalServiceError();
        body.setMessage("The service is temporarily unavailable. Try again.");
        return of(504, "GatewayTimeoutException", body, "Retry-After", "1");
    }

    private static ErrorReply of(int status, String type, Object body) {
        return new ErrorReply(status, body, Map.of("Content-Type", "application/json", "x-amzn-ErrorType", type));
    }

    private static ErrorReply of(int status, String type, Object body, String header, String value) {
        return new ErrorReply(
                status, body, Map.of("Content-Type", "application/json", "x-amzn-ErrorType", type, header, value));
    }

    private static String message(RuntimeException e) {
        return String.valueOf(e.getMessage());
    }

    /** Lists the violations, such as {@code sessionId must match "…"}. The value itself is not repeated. */
    private static String violations(ResteasyReactiveViolationException e) {
        return e.getConstraintViolations().stream()
                .map(violation -> lastNode(violation) + " " + violation.getMessage())
                .sorted()
                .collect(Collectors.joining("; "));
    }

    /** Names the wrong member, but neither its value nor a Java class. */
    private static String mismatch(MismatchedInputException e) {
        String member = e.getPath().stream()
                .map(JsonMappingException.Reference::getFieldName)
                .filter(Objects::nonNull)
                .collect(Collectors.joining("."));
        return member.isEmpty()
                ? "The body is not the JSON object that the contract describes"
                : member + " is not what the contract describes";
    }

    private static String lastNode(ConstraintViolation<?> violation) {
        String name = "";
        for (Path.Node node : violation.getPropertyPath()) {
            name = node.toString();
        }
        return PARAMETERS.getOrDefault(name, name);
    }
}
