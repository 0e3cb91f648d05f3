import { readFileSync } from 'node:fs';
import { pathOf } from './way.js';

/** What a test wants of a session: a way of this name, and how long its person may take to link a phone. */
export interface Order {
  readonly way: string;
  /** Of all ways of a group, one halts at each write. Undefined if the way never halts. */
  readonly group?: string;
  /** The command or stanza with which the way is over. Default: it lasts as long as the order. */
  readonly until?: string;
  readonly tenantId: string;
  /** The process whose way it is. Default: the one that claims the session. */
  readonly pid?: number;
  readonly whatsapp?: { readonly qrLifeMs: number; readonly linkPatienceMs: number };
}

/** The order of a session, from a file `order.<session>`. It lasts as long as the file. */
export function orderOf(session: string): Order | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(`order.${session}`), 'utf8'));
  } catch {
    return undefined;
  }
}
