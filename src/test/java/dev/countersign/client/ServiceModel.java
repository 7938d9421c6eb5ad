package dev.countersign.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The service model of the API, in the form from which AWS' clients are made ({@code service-2.json} of botocore): with it,
 * the AWS CLI and boto3 call all operations, the additions of Countersign among them. All of it comes from the contract.
 */
final class ServiceModel {

    /** As with AWS' own client, the endpoint ends in it. */
    private static final String STAGE = "/prod";

    private static final String SCHEMAS = "#/components/schemas/";

    private final JsonNode contract;
    private final ObjectMapper json = new ObjectMapper();
    private final ObjectNode operations = json.createObjectNode();
    private final ObjectNode shapes = json.createObjectNode();

    private ServiceModel(JsonNode contract) {
        this.contract = contract;
    }

    static JsonNode of(String contract) throws IOException {
        return new ServiceModel(new YAMLMapper().readTree(contract)).model();
    }

    private ObjectNode model() {
        String title = contract.at("/info/title").asText();
        ObjectNode model = json.createObjectNode();
        model.put("version", "2.0")
                .putObject("metadata")
                .put("apiVersion", "2020-08-11")
                .put("endpointPrefix", title.toLowerCase(Locale.ROOT))
                .put("jsonVersion", "1.1")
                .put("protocol", "rest-json")
                .put("serviceFullName", title)
                .put("serviceId", title)
                .put("signatureVersion", "v4")
                .put("signingName", "amplifybackend")
                .put(
                        "uid",
                        title.toLowerCase(Locale.ROOT) + "-"
                                + contract.at("/info/version").asText());
        contract.path("paths")
                .properties()
                .forEach(path -> path.getValue().properties().stream()
                        .filter(method -> method.getValue().has("operationId")
                                && !method.getValue().path("x-internal").asBoolean())
                        .forEach(method ->
                                addOperation(path.getKey(), path.getValue(), method.getKey(), method.getValue())));
        model.set("operations", operations);
        model.set("shapes", shapes);
        model.put("documentation", contract.at("/info/description").asText().strip());
        return model;
    }

    private void addOperation(String path, JsonNode item, String method, JsonNode declared) {
        String id = declared.path("operationId").asText();
        ObjectNode operation = operations.putObject(id).put("name", id);
        ObjectNode http = operation
                .putObject("http")
                .put("method", method.toUpperCase(Locale.ROOT))
                .put("requestUri", path.substring(STAGE.length()));
        addInput(id, item, declared);
        operation.putObject("input").put("shape", id + "Request");
        ArrayNode errors = json.createArrayNode();
        declared.path("responses").properties().forEach(reply -> {
            int status = Integer.parseInt(reply.getKey());
            JsonNode resolved = resolved(reply.getValue());
            if (status >= 400) {
                types(resolved).forEach(type -> errors.addObject().put("shape", addError(type, status, resolved)));
            } else if (!http.has("responseCode")) {
                http.put("responseCode", status);
                if (resolved.has("content")) {
                    addOutput(id, resolved);
                    operation.putObject("output").put("shape", id + "Response");
                }
            }
        });
        operation.set("errors", errors);
        operation.put("documentation", declared.path("description").asText());
    }

    private void addInput(String id, JsonNode item, JsonNode declared) {
        ObjectNode shape = structure(id + "Request");
        for (JsonNode parameters : new JsonNode[] {item.path("parameters"), declared.path("parameters")}) {
            for (JsonNode reference : parameters) {
                JsonNode parameter = resolved(reference);
                String name = parameter.path("name").asText();
                addMember(
                                shape,
                                member(name),
                                parameter.path("schema"),
                                parameter.path("description"),
                                parameter.path("required").asBoolean())
                        .put(
                                "location",
                                switch (parameter.path("in").asText()) {
                                    case "path" -> "uri";
                                    case "query" -> "querystring";
                                    default -> "header";
                                })
                        .put("locationName", name);
            }
        }
        addMembers(shape, resolved(declared.at("/requestBody/content/application~1json/schema")));
    }

    private void addOutput(String id, JsonNode reply) {
        ObjectNode shape = structure(id + "Response");
        addMembers(shape, resolved(reply.at("/content/application~1json/schema")));
        // What every reply has, clients show by themselves.
        reply.path("headers").properties().forEach(header -> {
            JsonNode declared = resolved(header.getValue());
            if (!declared.path("required").asBoolean()) {
                addMember(shape, member(header.getKey()), declared.path("schema"), declared.path("description"), false)
                        .put("location", "header")
                        .put("locationName", header.getKey());
            }
        });
    }

    private String addError(String type, int status, JsonNode reply) {
        if (!shapes.has(type)) {
            ObjectNode shape = structure(type).put("exception", true);
            shape.putObject("error").put("httpStatusCode", status);
            addMembers(shape, resolved(reply.at("/content/application~1json/schema")));
            shape.put("documentation", reply.path("description").asText());
        }
        return type;
    }

    private static Set<String> types(JsonNode reply) {
        Set<String> types = new TreeSet<>();
        reply.at("/headers/x-amzn-ErrorType/schema/enum").forEach(type -> types.add(type.asText()));
        return types;
    }

    private ObjectNode structure(String name) {
        ObjectNode shape = shapes.putObject(name).put("type", "structure");
        shape.putObject("members");
        return shape;
    }

    private void addMembers(ObjectNode shape, JsonNode schema) {
        Set<String> required = new TreeSet<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        schema.path("properties").properties().forEach(property -> {
            String name = property.getKey();
            addMember(
                            shape,
                            member(name),
                            property.getValue(),
                            resolved(property.getValue()).path("description"),
                            required.contains(name))
                    .put("locationName", name);
        });
    }

    private ObjectNode addMember(
            ObjectNode shape, String name, JsonNode schema, JsonNode description, boolean required) {
        ObjectNode member = shape.withObject("/members").putObject(name).put("shape", shape(schema));
        if (description.isTextual()) {
            member.put("documentation", description.asText());
        }
        if (required) {
            shape.withArray("/required").add(name);
        }
        return member;
    }

    /** The name of the schema's shape, which is there afterwards. */
    private String shape(JsonNode reference) {
        JsonNode schema = resolved(reference);
        String type = schema.path("type").asText();
        if ((type.equals("object") && !schema.has("additionalProperties")) || schema.has("enum")) {
            String name = reference.path("$ref").asText().replace(SCHEMAS, "");
            return name.isEmpty() ? "__string" : named(name, schema);
        } else if (type.equals("object")) {
            shapes.putObject("__mapOf__string")
                    .put("type", "map")
                    .set("key", json.createObjectNode().put("shape", shape(text())));
            shapes.withObject("/__mapOf__string").putObject("value").put("shape", "__string");
            return "__mapOf__string";
        } else if (type.equals("array")) {
            String item = shape(schema.path("items"));
            shapes.putObject("__listOf" + item)
                    .put("type", "list")
                    .putObject("member")
                    .put("shape", item);
            return "__listOf" + item;
        }
        return simple(schema, type);
    }

    private String simple(JsonNode schema, String type) {
        String format = schema.path("format").asText();
        if (format.equals("date-time")) {
            shapes.putObject("__timestampIso8601").put("type", "timestamp").put("timestampFormat", "iso8601");
            return "__timestampIso8601";
        } else if (format.equals("password")) {
            shapes.putObject("__secret").put("type", "string").put("sensitive", true);
            return "__secret";
        }
        shapes.putObject("__" + type).put("type", type);
        return "__" + type;
    }

    private String named(String name, JsonNode schema) {
        if (schema.has("enum")) {
            shapes.putObject(name).put("type", "string").set("enum", schema.path("enum"));
        } else if (!shapes.has(name)) {
            addMembers(structure(name), schema);
        }
        return name;
    }

    private JsonNode text() {
        return json.createObjectNode().put("type", "string");
    }

    private JsonNode resolved(JsonNode node) {
        return node.has("$ref") ? contract.at(node.path("$ref").asText().substring(1)) : node;
    }

    /** As AWS' models name members: {@code Idempotency-Key} is {@code IdempotencyKey}, {@code appId} is {@code AppId}. */
    private static String member(String name) {
        return Pattern.compile("(?:^|-)(.)")
                .matcher(name)
                .replaceAll(first -> first.group(1).toUpperCase(Locale.ROOT));
    }
}
