package dev.countersign.access;

import io.quarkus.arc.profile.IfBuildProfile;
import jakarta.inject.Singleton;

/**
 * Is there in a build where callers without credentials may be let in: dev mode, the tests, and the benchmark of what
 * signatures cost. A production build doesn't have it, whatever profile it is started with.
 */
@Singleton
@IfBuildProfile(anyOf = {"dev", "test", "bench"})
class DevelopmentBuild {}
