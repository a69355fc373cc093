import type { FieldSummary } from './data-file.ts';
import { compareLiterals, isNanLiteral } from './literal-order.ts';
import { encodeSingleValue } from './single-value.ts';
import type { Literal, PrimitiveType } from './type.ts';

/** Gathers what a manifest list says of one field of a spec over all files of a manifest (spec: "Manifest Lists", `field_summary`). */
export class FieldSummaryBuilder {
  readonly #type: PrimitiveType;
  #containsNull = false;
  #containsNan = false;
  #lower: Literal | null = null;
  #upper: Literal | null = null;

  constructor(type: PrimitiveType) {
    this.#type = type;
  }

  add(value: Literal | null): void {
    if (value === null) this.#containsNull = true;
    else if (isNanLiteral(value)) this.#containsNan = true;
    else {
      if (this.#lower === null || compareLiterals(value, this.#lower) < 0) this.#lower = value;
      if (this.#upper === null || compareLiterals(value, this.#upper) > 0) this.#upper = value;
    }
  }

  build(): FieldSummary {
    return {
      containsNull: this.#containsNull,
      containsNan: this.#containsNan,
      lowerBound: this.#lower === null ? null : encodeSingleValue(this.#type, this.#lower),
      upperBound: this.#upper === null ? null : encodeSingleValue(this.#type, this.#upper),
    };
  }
}
