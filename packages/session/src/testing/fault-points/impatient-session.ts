import * as original from '../../whatsapp-session.js';
import { orderOf } from './order.js';

/** The original session, except that it waits for a phone to link it only as long as its order says. */
export class WhatsAppSession extends original.WhatsAppSession {
  constructor(options: ConstructorParameters<typeof original.WhatsAppSession>[0]) {
    super({ ...options, whatsapp: { ...options.whatsapp, ...orderOf(options.fence.sessionId)?.whatsapp } });
  }
}
