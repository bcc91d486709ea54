/**
 * The value that a standard normal variable stays below with a given probability; relative error
 * below 1.2e-9 (Peter J. Acklam's rational approximation, 2003).
 *
 * @param probability Strictly between 0 and 1.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.ok(Math.abs(normalQuantile(0.975) - 1.959964) < 1e-6);
 * ```
 */
export function normalQuantile(probability: number): number {
  if (probability < 0.02425) return tail(probability);
  if (probability > 1 - 0.02425) return -tail(1 - probability);
  const q = probability - 0.5;
  const r = q * q;
  const numerator = ((((-3.969683028665376e1 * r + 2.209460984245205e2) * r -
                2.759285104469687e2) * r + 1.38357751867269e2) * r - 3.066479806614716e1) * r +
    2.506628277459239;
  const denominator = ((((-5.447609879822406e1 * r + 1.615858368580409e2) * r -
                1.556989798598866e2) * r + 6.680131188771972e1) * r - 1.328068155288572e1) * r + 1;
  return q * numerator / denominator;
}

function tail(probability: number): number {
  const q = Math.sqrt(-2 * Math.log(probability));
  const numerator = ((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q -
                2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968) * q +
    2.938163982698783;
  const denominator = (((7.784695709041462e-3 * q + 3.224671290700398e-1) * q +
            2.445134137142996) * q + 3.754408661907416) * q + 1;
  return numerator / denominator;
}
