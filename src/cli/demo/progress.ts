/** How far the demo is: one line that redraws itself on a terminal, a line now and then elsewhere. */
import { paint } from '../terminal.ts';

const WIDTH = 28;
const REDRAW_EVERY_MS = 50;

/** Shows progress; `end` leaves the terminal clean. */
export interface Progress {
  update(done: number, note: string): void;
  end(): void;
}

/** A bar on a terminal; four plain lines elsewhere. */
export function showProgress(total: number): Progress {
  return process.stdout.isTTY ? bar(total) : quarters(total);
}

function bar(total: number): Progress {
  let drawn = 0;
  return {
    update(done, note) {
      const now = performance.now();
      if (done < total && now - drawn < REDRAW_EVERY_MS) return;
      drawn = now;
      const filled = Math.round((done / total) * WIDTH);
      const line = `${paint('green', '█'.repeat(filled))}${'░'.repeat(WIDTH - filled)}`;
      process.stdout.write(`\r\x1b[2K${line} ${done}/${total} customers, ${note}`);
    },
    end: () => void process.stdout.write('\r\x1b[2K'),
  };
}

function quarters(total: number): Progress {
  let shown = 0;
  return {
    update(done, note) {
      const quarter = Math.floor((done / total) * 4);
      if (quarter === shown) return;
      shown = quarter;
      process.stdout.write(`${done}/${total} customers, ${note}\n`);
    },
    end: () => undefined,
  };
}
