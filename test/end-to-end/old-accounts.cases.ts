/** A store whose accounts are older than currencies: the bank starts with their currency, and with no other. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { replayFromStore } from '../../src/store-tools/replay-account.ts';
import { ownProjection, runProjection } from '../../src/store-tools/run-projection.ts';
import { collect } from '../support/event-builders.ts';
import { startBank } from '../support/running-bank.ts';
import { storeVersion1Account } from '../support/version-1-account.ts';

type Settings = Record<string, string>;

export interface OldStore {
  /** What names its store. */
  readonly settings: Settings;
  /** Settings with which a process of its own starts. */
  readonly roles: readonly Settings[];
  /** Writes into it while no bank runs. */
  write<T>(work: (store: EventStore) => Promise<T>): Promise<T>;
}

export function describeOldAccounts(what: string, open: () => Promise<OldStore>): void {
  describe(`accounts of version 1, ${what}`, () => {
    it('keep their currency, whatever the setting becomes', async () => {
      const { settings, roles, write } = await open();
      const id = await write((store) => storeVersion1Account(store, 'EUR'));
      const sentence = `OPENBANK_DEFAULT_CURRENCY=USD is not usable: the store has accounts from before accounts had a currency, and revision 1 of ${bankAccountStream(id)} says that theirs is EUR. Set it to EUR.`;
      for (const role of roles) {
        const config = loadConfig({ ...settings, ...role });
        const starting = compose(config, pino({ level: 'silent' }));
        await expect(starting).rejects.toThrow(new ConfigError(sentence));
      }
      const dollars = loadConfig(settings);
      const request = { accountId: id, from: 0, to: 10, byTodaysRules: false };
      const refusal = { code: 'invalid_request', message: sentence };
      await expect(collect(replayFromStore(dollars, request))).rejects.toMatchObject(refusal);
      const plan = ownProjection('bank_accounts');
      if (!plan) throw new Error('the accounts have no projection');
      const projected = runProjection(dollars, plan, undefined, (documents) => documents.get(id));
      await expect(projected).rejects.toMatchObject(refusal);

      const bank = await startBank({ settings: { ...settings, OPENBANK_DEFAULT_CURRENCY: 'EUR' } });
      try {
        const { body } = await bank.client.call('getAccountBalance', { params: { id } });
        expect([body.balance, body.currency]).toEqual(['25.00', 'EUR']);
      } finally {
        await bank.close();
      }
    });

    it('keep that of the first start, also while nothing was posted to them', async () => {
      const { settings, roles, write } = await open();
      const id = await write((store) => storeVersion1Account(store, 'EUR', 1));
      const bank = await startBank({ settings: { ...settings, OPENBANK_DEFAULT_CURRENCY: 'EUR' } });
      await bank.close();
      const sentence = /revision 0 of operator-default-currency says that theirs is EUR\. Set it to EUR\.$/;
      for (const role of roles) {
        const starting = compose(loadConfig({ ...settings, ...role }), pino({ level: 'silent' }));
        await expect(starting).rejects.toThrow(ConfigError);
      }
      const request = { accountId: id, from: 0, to: 10, byTodaysRules: false };
      const replayed = collect(replayFromStore(loadConfig(settings), request));
      await expect(replayed).rejects.toThrow(sentence);
    });
  });
}
