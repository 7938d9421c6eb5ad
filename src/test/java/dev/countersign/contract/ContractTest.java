package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.api.model.CreateTokenRespObj;
import dev.countersign.api.model.GetTokenRespObj;
import dev.countersign.api.model.RedeemTokenReqObj;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What holds for all operations, and what a healthy service shows to none of them. */
class ContractTest {

    private static final List<Integer> ANY = List.of(400, 403, 406, 413);
    private static final List<Integer> WITH_CALLER = List.of(401, 429, 504);

    @Test
    void operationHasTheRefusalsThatItsKindCanGet() {
        assertThat(Operation.all()).isNotEmpty().allSatisfy(operation -> {
            assertThat(operation.replies()).as(operation.id()).containsKeys(ANY.toArray(Integer[]::new));
            if (operation.secured()) {
                assertThat(operation.replies()).as(operation.id()).containsKeys(WITH_CALLER.toArray(Integer[]::new));
            } else {
                assertThat(operation.replies().keySet()).as(operation.id()).doesNotContainAnyElementsOf(WITH_CALLER);
            }
        });
    }

    @Test
    void onlyPreflightsNeedNoCaller() {
        assertThat(Operation.all())
                .allSatisfy(operation -> assertThat(operation.secured())
                        .as(operation.id())
                        .isEqualTo(!operation.method().equals("OPTIONS")));
    }

    @Test
    void everyPathAnswersPreflights() {
        assertThat(Operation.all())
                .allSatisfy(operation ->
                        assertThat(operation.listed()).as(operation.id()).contains("OPTIONS"));
    }

    /** A member that is taken and shown nowhere would be dropped unnoticed. */
    @Test
    void whatIsRegisteredOfAnAppIsShown() {
        Map<String, Operation> operations =
                Operation.all().stream().collect(Collectors.toMap(Operation::id, operation -> operation));
        assertThat(operations.get("GetApp").members())
                .containsKeys(
                        operations.get("PutApp").body().getProperties().keySet().toArray(String[]::new));
    }

    /** The format that says so keeps it out of a log, too. */
    @Test
    void codeIsPrintedByNoObjectThatHoldsOne() {
        List<Object> holders = List.of(
                new CreateTokenRespObj().challengeCode("canary"),
                new GetTokenRespObj().challengeCode("canary"),
                new RedeemTokenReqObj().challengeCode("canary"));
        assertThat(holders)
                .allSatisfy(holder -> assertThat(holder.toString())
                        .contains("challengeCode: *")
                        .doesNotContain("canary"));
    }
}
