import * as original from '../../whatsapp-session.js';

const query = new URL(import.meta.url).searchParams;
const impatience = Object.fromEntries(
  ['qrLifeMs', 'linkPatienceMs'].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, Number(value)]];
  }),
);

/** The session as it is, with less patience for whoever is to link a phone. */
export class WhatsAppSession extends original.WhatsAppSession {
  constructor(options: ConstructorParameters<typeof original.WhatsAppSession>[0]) {
    super({ ...options, whatsapp: { ...options.whatsapp, ...impatience } });
  }
}
