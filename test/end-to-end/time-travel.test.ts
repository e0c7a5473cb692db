/** Time travel on the embedded store. */
import { afterAll } from 'vitest';
import { startSeededBank } from '../support/seeded-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeTimeTravel } from './time-travel.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeTimeTravel('embedded', (seed) => startSeededBank(directory.file('bank'), seed));
