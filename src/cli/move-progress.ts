/** How far an export or import is: events, rate and the time that is left, for each of its phases. */
import type { ReportProgress } from '../store-tools/move-stores.ts';
import { formatCount, formatDuration } from './terminal.ts';

type MoveProgress = Parameters<ReportProgress>[0];

const TERMINAL_EVERY_MS = 100;
const PLAIN_EVERY_MS = 10_000;

/** A line that redraws itself on a terminal, a line every ten seconds elsewhere; `end` leaves the terminal clean. */
export function showMoveProgress(): { report: ReportProgress; end(): void } {
  const terminal = process.stderr.isTTY;
  const every = terminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
  let begun: (MoveProgress & { readonly at: number }) | undefined;
  let shownAt = performance.now();
  return {
    report(progress) {
      const now = performance.now();
      // A phase may begin in the middle, where an interrupted run had stopped.
      if (begun?.phase !== progress.phase) begun = { ...progress, at: now };
      if (now - shownAt < every) return;
      shownAt = now;
      const line = progressLine(begun, progress, (now - begun.at) / 1000);
      process.stderr.write(terminal ? `\r\x1b[2K${line}` : `${line}\n`);
    },
    end() {
      if (terminal) process.stderr.write('\r\x1b[2K');
    },
  };
}

/** Such as `exporting: 45 %, 123,000 events, 41,000 events/s, 4 s left`. */
export function progressLine(begun: MoveProgress, now: MoveProgress, seconds: number): string {
  const parts = [`${now.phase}: ${Math.floor(now.fraction * 100)} %`, `${formatCount(now.events)} events`];
  const done = now.fraction - begun.fraction;
  if (seconds > 0 && done > 0) {
    const left = (seconds * (1 - now.fraction)) / done;
    parts.push(`${formatCount(Math.round((now.events - begun.events) / seconds))} events/s`);
    parts.push(`${formatDuration(left)} left`);
  }
  return parts.join(', ');
}
