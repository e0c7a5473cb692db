/** How often a property runs, ten times that in the long tier; FC_SEED replays a seed that was printed. */

export function settings(runs: number): { numRuns: number; seed?: number } {
  const numRuns = process.env.SLOW === '1' ? runs * 10 : runs;
  const seed = process.env.FC_SEED;
  if (!seed) return { numRuns };
  if (!/^-?\d+$/.test(seed)) throw new Error(`FC_SEED must be a whole number, not ${JSON.stringify(seed)}`);
  return { numRuns, seed: Number(seed) };
}
