package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.limit.LimitConfig;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.quarkus.runtime.configuration.DurationConverter;
import java.io.IOException;
import java.io.Reader;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What the build wrote to be applied, in each variant, read by the types of the cluster's API. */
@ParameterizedClass
@MethodSource("dev.countersign.kubernetes.Variant#all")
class ManifestIT {

    private static final String NAME = "countersign";
    private static final String NAME_LABEL = "app.kubernetes.io/name";

    private final Variant variant;
    private final List<HasMetadata> all;

    ManifestIT(Variant variant) {
        this.variant = variant;
        this.all = variant.resources();
    }

    @Test
    void eachResourceIsThereOnce() {
        assertThat(variant.byName().keySet())
                .contains(
                        "ServiceAccount countersign",
                        "ConfigMap countersign",
                        "Service countersign",
                        "Deployment countersign",
                        "Job countersign-migration",
                        "PodDisruptionBudget countersign",
                        "HorizontalPodAutoscaler countersign",
                        "NetworkPolicy countersign-default-deny",
                        "NetworkPolicy countersign",
                        "NetworkPolicy countersign-database");
    }

    @Test
    void podsAreRestricted() {
        for (PodSpec pod : List.of(servicePod(), migrationPod())) {
            assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
            assertThat(pod.getSecurityContext().getRunAsUser()).isPositive();
            assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
            assertThat(pod.getHostNetwork()).isNotEqualTo(true);
            assertThat(pod.getInitContainers()).isEmpty();
            Container container = onlyContainer(pod);
            assertThat(container.getSecurityContext().getAllowPrivilegeEscalation())
                    .isFalse();
            assertThat(container.getSecurityContext().getReadOnlyRootFilesystem())
                    .isTrue();
            assertThat(container.getSecurityContext().getPrivileged()).isFalse();
            assertThat(container.getSecurityContext().getCapabilities().getDrop())
                    .containsExactly("ALL");
            assertThat(container.getSecurityContext().getCapabilities().getAdd())
                    .isEmpty();
            assertThat(pod.getVolumes())
                    .allMatch(volume -> volume.getEmptyDir() != null
                            || volume.getConfigMap() != null
                            || volume.getSecret() != null);
        }
    }

    @Test
    void noPodGetsATokenOfTheCluster() {
        assertThat(only(ServiceAccount.class, NAME).getAutomountServiceAccountToken())
                .isFalse();
        for (PodSpec pod : List.of(servicePod(), migrationPod())) {
            assertThat(pod.getServiceAccountName()).isEqualTo(NAME);
            assertThat(pod.getAutomountServiceAccountToken()).isFalse();
        }
    }

    @Test
    void containersSayWhatTheyNeed() {
        for (PodSpec pod : List.of(servicePod(), migrationPod())) {
            Container container = onlyContainer(pod);
            assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
            assertThat(container.getResources().getLimits()).containsOnlyKeys("memory");
            boolean jvm = variant.name().endsWith("jvm-image");
            assertThat(container.getResources().getRequests().get("memory").toString())
                    .isEqualTo(jvm ? "256Mi" : "128Mi");
            assertThat(container.getResources().getLimits().get("memory").toString())
                    .isEqualTo(jvm ? "512Mi" : "256Mi");
        }
    }

    /** docs/operations.md applies all but what is labelled as the service, waits for the migration, and applies it all. */
    @Test
    void onlyTheReplicasWaitForTheMigration() {
        assertThat(variant.byName().entrySet().stream()
                        .filter(entry -> entry.getValue()
                                .at("/metadata/labels/app.kubernetes.io~1component")
                                .asText()
                                .equals("service"))
                        .map(Map.Entry::getKey))
                .containsExactly("Deployment countersign");
    }

    @Test
    void whatAPodNeedsIsAppliedBeforeIt() {
        List<String> order = variant.documents().stream()
                .map(document -> document.path("kind").asText() + " "
                        + document.at("/metadata/name").asText())
                .toList();
        if (order.contains("Namespace " + NAME)) {
            assertThat(order).startsWith("Namespace " + NAME);
        }
        for (String pods : List.of("Deployment countersign", "Job countersign-migration")) {
            assertThat(order).containsSubsequence("ServiceAccount countersign", pods);
            assertThat(order).containsSubsequence("ConfigMap countersign", pods);
        }
    }

    @Test
    void replicasSpreadOverZonesAndNodes() {
        assertThat(servicePod().getTopologySpreadConstraints())
                .extracting(TopologySpreadConstraint::getTopologyKey)
                .containsExactlyInAnyOrder("topology.kubernetes.io/zone", "kubernetes.io/hostname");
        assertThat(servicePod().getTopologySpreadConstraints())
                .allSatisfy(spread ->
                        assertSelectsTheService(spread.getLabelSelector().getMatchLabels()));
    }

    @Test
    void probesAskTheManagementPort() {
        Container container = onlyContainer(servicePod());
        assertProbe(container.getLivenessProbe(), "/q/health/live");
        assertProbe(container.getReadinessProbe(), "/q/health/ready");
        assertProbe(container.getStartupProbe(), "/q/health/started");
    }

    @Test
    void stopOutlastsTheDelayAndTheTimeoutOfAShutdown() throws IOException {
        Duration delay = Duration.parse(environment(servicePod()).get("QUARKUS_SHUTDOWN_DELAY"));
        assertThat(delay).isPositive();
        Properties settings = new Properties();
        try (Reader file = Files.newBufferedReader(Path.of("src", "main", "resources", "application.properties"))) {
            settings.load(file);
        }
        Duration shutdownTimeout = DurationConverter.parseDuration(settings.getProperty("quarkus.shutdown.timeout"));
        assertThat(Duration.ofSeconds(servicePod().getTerminationGracePeriodSeconds()))
                .isGreaterThan(delay.plus(shutdownTimeout));
        // The load balancer hears of it within the delay.
        Probe readiness = onlyContainer(servicePod()).getReadinessProbe();
        assertThat(Duration.ofSeconds((long) readiness.getPeriodSeconds() * readiness.getFailureThreshold()))
                .isLessThan(delay);
    }

    @Test
    void rolloutNeverHasFewerReplicasThanBefore() {
        Deployment deployment = only(Deployment.class, NAME);
        assertThat(deployment.getSpec().getStrategy().getType()).isEqualTo("RollingUpdate");
        assertThat(deployment
                        .getSpec()
                        .getStrategy()
                        .getRollingUpdate()
                        .getMaxUnavailable()
                        .getIntVal())
                .isZero();
        assertThat(deployment.getSpec().getSelector().getMatchLabels()).doesNotContainKey("app.kubernetes.io/version");
    }

    @Test
    void migrationRunsInAJobAndNotInTheReplicas() {
        assertThat(environment(servicePod()))
                .containsEntry("QUARKUS_FLYWAY_MIGRATE_AT_START", "false")
                // A replica that is newer than the schema doesn't become ready.
                .containsEntry("QUARKUS_FLYWAY_VALIDATE_AT_START", "true");
        assertThat(environment(migrationPod()))
                .containsEntry("QUARKUS_FLYWAY_MIGRATE_AT_START", "true")
                .containsEntry("QUARKUS_INIT_AND_EXIT", "true");
        assertThat(migrationPod().getRestartPolicy()).isEqualTo("OnFailure");
        assertThat(onlyContainer(migrationPod()).getImage())
                .isEqualTo(onlyContainer(servicePod()).getImage())
                .isEqualTo(System.getProperty("countersign.image"));
    }

    @Test
    void secretsAreReferencesAndTheMigrationHasItsOwn() {
        assertThat(secretsOf(servicePod())).contains("countersign-secrets");
        assertThat(secretsOf(migrationPod())).hasSize(1).doesNotContainAnyElementsOf(secretsOf(servicePod()));
        Stream<Map<String, String>> literals = Stream.of(
                environment(servicePod()),
                environment(migrationPod()),
                only(ConfigMap.class, NAME).getData());
        assertThat(literals.flatMap(each -> each.keySet().stream()).map(name -> name.toLowerCase(Locale.ROOT)))
                .noneMatch(name -> name.contains("password")
                        || name.contains("secret")
                        || name.contains("keys")
                        || name.contains("access_key"));
    }

    @Test
    void everyNamedConfigMapIsThere() {
        for (PodSpec pod : List.of(servicePod(), migrationPod())) {
            assertThat(onlyContainer(pod).getEnvFrom())
                    .filteredOn(from -> from.getConfigMapRef() != null)
                    .extracting(from -> from.getConfigMapRef().getName())
                    .containsExactly(NAME);
        }
        assertThat(only(ConfigMap.class, NAME).getData()).containsKey("QUARKUS_DATASOURCE_JDBC_URL");
    }

    @Test
    void everyLimitThatIsOffByDefaultIsSet() {
        List<String> off = Stream.of(LimitConfig.class.getMethods())
                .filter(setting -> setting.getReturnType() == OptionalInt.class)
                .map(Method::getName)
                .map(name ->
                        "COUNTERSIGN_LIMIT_" + name.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT))
                .toList();
        assertThat(off).hasSize(5);
        assertThat(only(ConfigMap.class, NAME).getData()).containsKeys(off.toArray(String[]::new));
    }

    @Test
    void serviceLeadsToThePortOfTheApiAlone() {
        Service service = only(Service.class, NAME);
        assertThat(podLabels()).containsAllEntriesOf(service.getSpec().getSelector());
        assertThat(service.getSpec().getPorts().stream()
                        .map(ServicePort::getTargetPort)
                        .map(port -> port.getIntVal()))
                .containsExactly(8080);
        assertThat(service.getSpec().getType()).isEqualTo("ClusterIP");
    }

    @Test
    void disruptionsTakeOneReplicaAtATime() {
        PodDisruptionBudget budget = only(PodDisruptionBudget.class, NAME);
        assertThat(budget.getSpec().getMaxUnavailable().getIntVal()).isEqualTo(1);
        assertSelectsTheService(budget.getSpec().getSelector().getMatchLabels());
    }

    @Test
    void autoscalerScalesTheDeploymentFromTwoReplicasUp() {
        HorizontalPodAutoscaler autoscaler = only(HorizontalPodAutoscaler.class, NAME);
        assertThat(autoscaler.getSpec().getScaleTargetRef().getKind()).isEqualTo("Deployment");
        assertThat(autoscaler.getSpec().getScaleTargetRef().getName()).isEqualTo(NAME);
        assertThat(autoscaler.getSpec().getMinReplicas()).isGreaterThanOrEqualTo(2);
        assertThat(autoscaler.getSpec().getMaxReplicas())
                .isGreaterThan(autoscaler.getSpec().getMinReplicas());
        // Else every apply would undo what the autoscaler did.
        assertThat(only(Deployment.class, NAME).getSpec().getReplicas()).isNull();
    }

    @Test
    void trafficIsDeniedUnlessNamed() {
        NetworkPolicy deny = only(NetworkPolicy.class, "countersign-default-deny");
        assertThat(deny.getSpec().getPolicyTypes()).containsExactlyInAnyOrder("Ingress", "Egress");
        assertThat(deny.getSpec().getIngress()).isEmpty();
        assertThat(deny.getSpec().getEgress()).isEmpty();
        Map<String, String> denied = deny.getSpec().getPodSelector().getMatchLabels();
        assertThat(podLabels()).containsAllEntriesOf(denied);
        assertThat(only(Job.class, "countersign-migration")
                        .getSpec()
                        .getTemplate()
                        .getMetadata()
                        .getLabels())
                .containsAllEntriesOf(denied);

        NetworkPolicy service = only(NetworkPolicy.class, NAME);
        assertSelectsTheService(service.getSpec().getPodSelector().getMatchLabels());
        assertThat(service.getSpec().getIngress().stream().flatMap(rule -> rule.getPorts().stream()))
                .extracting(ManifestIT::port)
                .containsExactlyInAnyOrder("TCP 8080", "TCP 9000");
        assertThat(service.getSpec().getEgress().stream().flatMap(rule -> rule.getPorts().stream()))
                .extracting(ManifestIT::port)
                .containsExactly("TCP 443");

        NetworkPolicy database = only(NetworkPolicy.class, "countersign-database");
        assertThat(database.getSpec().getPodSelector().getMatchLabels()).isEqualTo(denied);
        assertThat(database.getSpec().getPolicyTypes()).containsExactly("Egress");
        assertThat(database.getSpec().getEgress().stream().flatMap(rule -> rule.getPorts().stream()))
                .extracting(ManifestIT::port)
                .containsExactlyInAnyOrder("UDP 53", "TCP 53", "TCP 5432");
    }

    @Test
    void prometheusIsToldWhereTheMetricsAre() {
        assertThat(only(Deployment.class, NAME)
                        .getSpec()
                        .getTemplate()
                        .getMetadata()
                        .getAnnotations())
                .containsEntry("prometheus.io/scrape", "true")
                .containsEntry("prometheus.io/path", "/q/metrics")
                .containsEntry("prometheus.io/port", "9000");
    }

    private static void assertProbe(Probe probe, String path) {
        assertThat(probe.getHttpGet().getPath()).isEqualTo(path);
        assertThat(probe.getHttpGet().getPort().getIntVal()).isEqualTo(9000);
        assertThat(probe.getTimeoutSeconds()).isPositive();
    }

    private void assertSelectsTheService(Map<String, String> labels) {
        assertThat(labels).containsEntry(NAME_LABEL, NAME);
        assertThat(podLabels()).containsAllEntriesOf(labels);
    }

    private static String port(NetworkPolicyPort port) {
        return port.getProtocol() + " " + port.getPort().getIntVal();
    }

    private static Map<String, String> environment(PodSpec pod) {
        return onlyContainer(pod).getEnv().stream()
                .filter(variable -> variable.getValue() != null)
                .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
    }

    private static Set<String> secretsOf(PodSpec pod) {
        Container container = onlyContainer(pod);
        return Stream.concat(
                        container.getEnvFrom().stream()
                                .filter(from -> from.getSecretRef() != null)
                                .map(from -> from.getSecretRef().getName()),
                        container.getEnv().stream()
                                .filter(variable -> variable.getValueFrom() != null)
                                .map(variable -> variable.getValueFrom()
                                        .getSecretKeyRef()
                                        .getName()))
                .collect(Collectors.toSet());
    }

    private Map<String, String> podLabels() {
        return only(Deployment.class, NAME)
                .getSpec()
                .getTemplate()
                .getMetadata()
                .getLabels();
    }

    private PodSpec servicePod() {
        return only(Deployment.class, NAME).getSpec().getTemplate().getSpec();
    }

    private PodSpec migrationPod() {
        return only(Job.class, "countersign-migration").getSpec().getTemplate().getSpec();
    }

    private static Container onlyContainer(PodSpec pod) {
        assertThat(pod.getContainers()).hasSize(1);
        return pod.getContainers().getFirst();
    }

    private <T extends HasMetadata> T only(Class<T> type, String name) {
        return all.stream()
                .filter(type::isInstance)
                .map(type::cast)
                .filter(resource -> resource.getMetadata().getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + type.getSimpleName() + " " + name));
    }
}
