package io.atelier.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ReshapeTest {
    @Test
    void translatesDynamicAxesInTheirOrder() {
        Reshape reshape = new Reshape(Shape.of(-1, 2, 4, -1, 6), Shape.of(-1, 8, -1, 1, 6));

        assertThat(reshape.toModel(Shape.of(3, 2, 4, 5, 6))).contains(Shape.of(3, 8, 5, 1, 6));
        assertThat(reshape.toCallers(Shape.of(3, 8, 5, 1, 6))).contains(Shape.of(3, 2, 4, 5, 6));
        assertThat(reshape.toModel(Shape.of(3, 8, 5, 1, 6))).isEmpty();
    }

    @Test
    void aScalarHasTheElementsOfOnes() {
        Reshape reshape = new Reshape(Shape.of(-1, 1), Shape.of(-1));

        assertThat(reshape.toModel(Shape.of(7, 1))).contains(Shape.of(7));
        assertThat(new Reshape(Shape.of(1), Shape.of()).toCallers(Shape.of())).contains(Shape.of(1));
    }

    @Test
    void refusesShapesOfOtherElements() {
        assertThat(Reshape.fit(Shape.of(2, 3), Shape.of(3, 2))).isTrue();
        assertThat(Reshape.fit(Shape.of(2, 3), Shape.of(5))).isFalse();
        assertThat(Reshape.fit(Shape.of(-1, 3), Shape.of(3, -1))).isFalse();
        assertThat(Reshape.fit(Shape.of(-1, 3), Shape.of(3))).isFalse();
        assertThat(Reshape.fit(Shape.of(-1), Shape.of(-1, -1))).isFalse();
        assertThatThrownBy(() -> new Reshape(Shape.of(2), Shape.of(3))).hasMessage("[2] cannot be reshaped to [3]");
    }
}
