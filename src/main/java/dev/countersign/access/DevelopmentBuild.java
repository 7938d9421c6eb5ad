package dev.countersign.access;

import io.quarkus.arc.profile.IfBuildProfile;
import jakarta.inject.Singleton;

/**
 * Marks a build that may admit callers without credentials: dev mode, the tests, and the benchmark of the cost of
 * signatures. A production build doesn't have this bean, whatever profile it is started with.
 */
@Singleton
@IfBuildProfile(anyOf = {"dev", "test", "bench"})
class DevelopmentBuild {}
