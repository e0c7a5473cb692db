/** How often a property runs, and more often in the long tier; FC_SEED replays a seed that was printed. */

/** @param slowRuns in the long tier; ten times the others where it is not said */
export function settings(runs: number, slowRuns = runs * 10): { numRuns: number; seed?: number } {
  const numRuns = process.env.SLOW === '1' ? slowRuns : runs;
  const seed = process.env.FC_SEED;
  if (!seed) return { numRuns };
  if (!/^-?\d+$/.test(seed)) throw new Error(`FC_SEED must be a whole number, not ${JSON.stringify(seed)}`);
  return { numRuns, seed: Number(seed) };
}
