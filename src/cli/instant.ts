/** Times on the command line. */
import { z } from 'zod';

const RFC_3339 = z.iso.datetime({ offset: true });

/** The instant in UTC with milliseconds; nothing for what is no RFC 3339 time with its offset, or a day that does not exist. */
export function instantOf(text: string): string | undefined {
  const time = text.toUpperCase();
  return RFC_3339.safeParse(time).success ? new Date(time).toISOString() : undefined;
}
