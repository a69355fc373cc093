/** How an input becomes a number of the model: standardised, its absence a number of its own; or one of `categories`. */
export interface ModelInput {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
}

/** A logistic regression over standardised inputs, with a weight for each missing input and each hour of the day. */
export interface LateModel {
  readonly inputs: readonly ModelInput[];
  /** [value, missing] for each input, then 24 hours, then the bias. */
  readonly weights: readonly number[];
}

/** The input that counts by its 24 values rather than by its size. */
export const hourInput = 'hour_of_day';
const hours = 24;

export function weightCount(inputs: number): number {
  return 2 * inputs + hours + 1;
}

/** The score before the logistic function. `values[i]` belongs to input i, NaN where missing; `hour` is 0 to 23. */
export function logit(model: LateModel, weights: ArrayLike<number>, values: ArrayLike<number>, hour: number): number {
  const count = model.inputs.length;
  let sum = weights[2 * count + hours] ?? 0;
  for (let input = 0; input < count; input++) {
    const value = values[input] ?? Number.NaN;
    sum += Number.isNaN(value) ? (weights[2 * input + 1] ?? 0) : (weights[2 * input] ?? 0) * standardised(model, input, value);
  }
  return sum + (weights[2 * count + hour] ?? 0);
}

export function probability(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** One step of gradient descent for one row; gives the row's error before it. */
export function descend(
  model: LateModel,
  weights: Float64Array,
  values: ArrayLike<number>,
  hour: number,
  label: number,
  rate: number,
): number {
  const count = model.inputs.length;
  const error = probability(logit(model, weights, values, hour)) - label;
  const step = rate * error;
  for (let input = 0; input < count; input++) {
    const value = values[input] ?? Number.NaN;
    if (Number.isNaN(value)) weights[2 * input + 1] = (weights[2 * input + 1] ?? 0) - step;
    else weights[2 * input] = (weights[2 * input] ?? 0) - step * standardised(model, input, value);
  }
  weights[2 * count + hour] = (weights[2 * count + hour] ?? 0) - step;
  weights[2 * count + hours] = (weights[2 * count + hours] ?? 0) - step;
  return error;
}

function standardised(model: LateModel, input: number, value: number): number {
  const { mean = 0, deviation = 1 } = model.inputs[input] ?? {};
  // A long tail of delays must not shake the weights.
  return Math.max(-5, Math.min(5, (value - mean) / deviation));
}
