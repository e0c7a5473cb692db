/** An account with a full life, lived over HTTP. */
import { openAccount, posting } from './customers.ts';
import type { RunningBank } from './running-bank.ts';

/** An account to which everything happens that can happen to one. */
export async function livelyAccount({ client }: RunningBank): Promise<string> {
  const id = await openAccount(client, { initial_balance: '500.00', overdraft_limit: '100.00' });
  const other = await openAccount(client);
  const params = { id };
  await client.call('deposit', { body: posting(id, '12.34') });
  const withdrawal = await client.call('withdrawal', { body: posting(id, '50.00') });
  await client.call('changeTerms', {
    params,
    body: { credit_rate: '2.5', overdraft_rate: '12', monthly_fee: '3.00' },
  });
  await client.call('changeLimits', { params, body: { transaction_limit: '400', daily_limit: '450' } });
  const hold = {
    amount: '25.00',
    description: 'Hotel',
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const first = (await client.call('placeHold', { params, body: hold })).body.id;
  const second = (await client.call('placeHold', { params, body: { amount: '5.00', description: 'Car' } }))
    .body.id;
  await client.call('captureHold', { params: { id, hold_id: first }, body: { amount: '20.00' } });
  await client.call('releaseHold', { params: { id, hold_id: second } });
  const body = { from_account_id: id, to_account_id: other, amount: '33.00', description: 'Rent' };
  await client.call('transfer', { body });
  await client.call('reverseTransaction', {
    params: { id: withdrawal.body.transaction_id },
    body: { amount: '10.00', reason: 'Goods returned' },
    token: withdrawal.token,
  });
  await client.call('freezeAccount', { params, body: { scope: 'DEBITS', reason: 'Court order' } });
  await client.call('interest', { body: posting(id, '1.00', 'Bonus') });
  await client.call('unfreezeAccount', { params, body: { reason: 'Settled' } });
  await client.call('changeOverdraftLimit', { params, body: { overdraft_limit: '75.00' } });
  return id;
}
