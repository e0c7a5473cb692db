/** The versions that a type of event has had. */

/** `CreatedV3` was `CreatedV1` and `CreatedV2` before. */
export function versionsUpTo(type: string): string[] {
  const [, name, version] = /^(.*V)(\d+)$/.exec(type) as unknown as [string, string, string];
  return Array.from({ length: Number(version) }, (_, index) => `${name}${index + 1}`);
}
