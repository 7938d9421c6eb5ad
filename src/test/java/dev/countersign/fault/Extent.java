package dev.countersign.fault;

import java.time.Duration;

/** How much a test of this package does: a little in each build, and more with {@code -Pcampaign}, which sets this. */
final class Extent {

    private static final boolean CAMPAIGN = Boolean.getBoolean("countersign.test.campaign");

    private Extent() {}

    static int times(int inBuild, int inCampaign) {
        return CAMPAIGN ? inCampaign : inBuild;
    }

    static Duration seconds(int inBuild, int inCampaign) {
        return Duration.ofSeconds(times(inBuild, inCampaign));
    }
}
