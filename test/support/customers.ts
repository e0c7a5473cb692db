/** People and accounts for tests: what a test does not care about is filled in. */
import type { BankClient } from './bank-client.ts';

export const ALICE = {
  first_name: 'Alice',
  last_name: 'Smith',
  date_of_birth: '1990-05-15',
  nationality: 'US',
  gender: 'FEMALE',
} as const;

export const ADDRESS = {
  street_name: 'Main Street',
  street_number: '12b',
  zip_code: '97475',
  city: 'Springfield',
  state: 'Oregon',
  country: 'US',
} as const;

export async function registerAlice(client: BankClient): Promise<string> {
  return (await client.call('registerPerson', { body: ALICE })).body.id;
}

/** Opens an account, for a new person unless one is named. */
export async function openAccount(
  client: BankClient,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const owner_id = fields.owner_id ?? (await registerAlice(client));
  return (await client.call('createAccount', { body: { owner_id, ...fields } })).body.id;
}

/** A posting's body. */
export function posting(account_id: string, amount: string | number, description = 'Salary') {
  return { account_id, amount, description };
}
