/** All clients on one account: commands to one stream fold into shared appends, so it should hardly be slower. */
import type { Row } from '../report.ts';
import { median, medianRatio } from '../statistics.ts';
import { type DepositRuns, ratesOf } from './deposits.ts';

export function hotRows(runs: DepositRuns): Row[] {
  const spread = ratesOf(runs, 'service');
  const hot = ratesOf(runs, 'hot');
  return [
    {
      name: 'Deposits into one account, to 1,000 accounts',
      value: median(hot),
      unit: '/s',
      reference: median(spread),
      ratio: medianRatio(hot, spread),
      target: { bound: 'at least', of: 'ratio', limit: 0.8 },
    },
  ];
}
