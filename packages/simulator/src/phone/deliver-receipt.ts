import { deliverReceipt as deliver, type Receipt } from '../messages/receipts.js';
import type { Phone } from './phone.js';

/** Delivers any receipt of any reader, as the server does, to the author's phone and linked devices. */
export function deliverReceipt(receipt: Receipt & { readonly author: Phone }): void {
  deliver(receipt, receipt.author.simulator.inboxes);
}
