/** How persons, accounts, transactions and holds look at a terminal. */
import type { Body } from '../bank-client.ts';
import { type DocumentView, type Field, field, figure, moment, money, type View } from './table.ts';

const name: Field = {
  title: 'Name',
  cell: (person) => `${field('', 'first_name').cell(person)} ${field('', 'last_name').cell(person)}`,
};

const address: Field = {
  title: 'Address',
  cell({ address }) {
    if (typeof address !== 'object' || address === null) return '';
    const at = (member: string) => field('', member).cell(address as Body);
    const street = `${at('street_name')} ${at('street_number')}`;
    return `${street}, ${at('zip_code')} ${at('city')}, ${at('state')}, ${at('country')}`;
  },
};

const born = field('Born', 'date_of_birth');

export const personView: View = {
  plural: 'persons',
  id: 'id',
  path: ({ id }) => `/persons/${id}`,
  columns: [
    field('Person', 'id'),
    name,
    born,
    field('Nationality', 'nationality'),
    moment('Registered', 'created_at'),
  ],
  details: [
    field('Person', 'id'),
    name,
    born,
    field('Nationality', 'nationality'),
    field('Gender', 'gender'),
    address,
    moment('Registered', 'created_at'),
    field('Revision', 'revision'),
  ],
};

const owner: Field = {
  title: 'Owner',
  // The name comes with the read model only.
  cell: ({ owner, owner_id }) =>
    [owner, owner_id]
      .map((value) => field('', 'value').cell({ value }))
      .filter(Boolean)
      .join(', '),
};

/** A rate a year, without the zeros that say nothing. */
function percent(title: string, name: string): Field {
  const rate = field('', name);
  return { title, cell: (account) => rate.cell(account).replace(/^(\d+(?:\.\d*[1-9])?)\.?0*$/, '$1 %') };
}

export const accountView: View = {
  plural: 'accounts',
  id: 'id',
  path: ({ id }) => `/accounts/${id}`,
  columns: [
    field('Account', 'id'),
    field('Owner', 'owner'),
    field('Type', 'account_type'),
    field('Status', 'status'),
    figure('Balance', 'balance'),
    figure('Available', 'available_balance'),
    field('Currency', 'currency'),
  ],
  details: [
    field('Account', 'id'),
    owner,
    field('Type', 'account_type'),
    field('Status', 'status'),
    field('Frozen for', 'frozen'),
    money('Balance', 'balance'),
    money('Available', 'available_balance'),
    money('Held', 'held'),
    money('Overdraft limit', 'overdraft_limit'),
    money('Transaction limit', 'transaction_limit'),
    money('Daily limit', 'daily_limit'),
    percent('Credit rate', 'credit_rate'),
    percent('Overdraft rate', 'overdraft_rate'),
    money('Monthly fee', 'monthly_fee'),
    field('Transactions', 'transaction_count'),
    moment('Opened', 'created_at'),
    moment('Last transaction', 'last_transaction_at'),
    field('Revision', 'revision'),
  ],
};

export const balanceView: DocumentView = {
  id: 'account_id',
  path: ({ account_id }) => `/accounts/${account_id}/balance`,
  details: [
    field('Account', 'account_id'),
    money('Balance', 'balance'),
    money('Available', 'available_balance'),
    money('Held', 'held'),
    money('Overdraft limit', 'overdraft_limit'),
    moment('At', 'at'),
    moment('Last change', 'changed_at'),
    field('Revision', 'revision'),
  ],
};

/** How many there were, where there were some. */
function countOf(title: string, name: string): Field {
  return {
    title,
    cell: ({ [name]: list }) => (Array.isArray(list) && list.length > 0 ? String(list.length) : ''),
  };
}

/** An account as it was; what only the read model counts is not there. */
export const accountMomentView: DocumentView = {
  ...accountView,
  details: [
    ...accountView.details.filter(({ title }) => title !== 'Revision'),
    countOf('Open holds', 'holds'),
    field('Credit rate', 'credit_rate'),
    field('Overdraft rate', 'overdraft_rate'),
    money('Monthly fee', 'monthly_fee'),
    moment('At', 'at'),
    moment('Last change', 'changed_at'),
    field('Revision', 'revision'),
  ],
};

/** The amount as it changes the balance. */
function signedAmount(posting: Body): string {
  return `${posting.direction === 'DEBIT' ? '-' : '+'}${field('', 'amount').cell(posting)}`;
}

export const postingView: View = {
  plural: 'transactions',
  id: 'transaction_id',
  path: ({ transaction_id }) => `/transactions/${transaction_id}`,
  columns: [
    field('Transaction', 'transaction_id'),
    moment('Recorded', 'recorded_at'),
    field('Type', 'type'),
    { title: 'Amount', cell: signedAmount, right: true },
    figure('Balance', 'balance'),
    field('Currency', 'currency'),
    field('Description', 'description'),
  ],
  details: [
    field('Transaction', 'transaction_id'),
    field('Account', 'account_id'),
    field('Type', 'type'),
    money('Amount', 'amount'),
    money('Balance', 'balance'),
    field('Description', 'description'),
    field('Hold', 'hold_id'),
    field('Reverses', 'reverses_transaction_id'),
    field('Transfer', 'transfer_id'),
    field('From', 'from_account_id'),
    field('To', 'to_account_id'),
    moment('Recorded', 'recorded_at'),
    field('Revision', 'revision'),
  ],
};

export const holdView: View = {
  plural: 'holds',
  id: 'id',
  path: ({ account_id, id }) => `/accounts/${account_id}/holds/${id}`,
  columns: [
    field('Hold', 'id'),
    field('Status', 'status'),
    figure('Amount', 'amount'),
    field('Currency', 'currency'),
    moment('Placed', 'placed_at'),
    moment('Expires', 'expires_at'),
    field('Description', 'description'),
  ],
  details: [
    field('Hold', 'id'),
    field('Account', 'account_id'),
    field('Status', 'status'),
    money('Amount', 'amount'),
    field('Description', 'description'),
    moment('Placed', 'placed_at'),
    moment('Expires', 'expires_at'),
    money('Captured', 'captured_amount'),
    money('Released', 'released_amount'),
    moment('Closed', 'closed_at'),
    field('Revision', 'revision'),
  ],
};

export const transferView: DocumentView = {
  id: 'id',
  path: ({ id }) => `/transfers/${id}`,
  details: [
    field('Transfer', 'id'),
    field('Status', 'status'),
    field('From', 'from_account_id'),
    field('To', 'to_account_id'),
    money('Amount', 'amount'),
    money('Taken back', 'reversed_amount'),
    field('Description', 'description'),
    moment('Requested', 'requested_at'),
    moment('Last change', 'updated_at'),
  ],
};

/** What stands above the transactions of a statement. */
export const statementDetails: readonly Field[] = [
  field('Account', 'account'),
  field('Owner', 'owner'),
  field('Month', 'month'),
  money('Opening balance', 'opening_balance'),
  money('Credits', 'total_credits'),
  money('Debits', 'total_debits'),
  money('Closing balance', 'closing_balance'),
];

export const snapshotView: Pick<View, 'id' | 'plural' | 'columns'> = {
  plural: 'snapshots',
  id: 'revision',
  columns: [
    field('Kind', 'kind'),
    figure('Revision', 'revision'),
    moment('Taken', 'taken_at'),
    field('Usable', 'usable'),
    field('Why not', 'reason'),
  ],
};

export const snapshotTakenView: Pick<DocumentView, 'id' | 'details'> = {
  id: 'revision',
  details: [field('Account', 'account_id'), field('Revision', 'revision'), field('Written', 'written')],
};
