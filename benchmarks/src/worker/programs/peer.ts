import {
  DisconnectReason,
  type GroupMetadata,
  makeWASocket,
  type proto,
  useMultiFileAuthState,
  WA_CERT_DETAILS,
  type WASocket,
} from '@whiskeysockets/baileys';
import { z } from 'zod';
import { paced } from '../../harness/paced.js';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import { Arrivals } from '../arrivals.js';
import {
  arrivedRequest,
  folderOf,
  type Session,
  session,
  textOf,
  turnsOf,
  type Writing,
  writeRequest,
} from '../protocol.js';

/**
 * Baileys as set up in its README, once for each session: "Example to Start", with the group cache and the `getMessage`
 * that "Important Notes About Socket Config" recommends. The only other setting is the server's address.
 */

const [url = '', rootKey = '', folder = ''] = process.argv.slice(2);
/** How many connect at the same time. */
const CONNECTING_AT_ONCE = 10;
const ACK_MS = 30_000;

WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex');

const sessions = new Map<string, Session>();
const sockets = new Map<string, WASocket>();
const sent = new Map<string, proto.IMessage>();
const groups = new Map<string, GroupMetadata>();
const arrivals = new Arrivals();

async function connectToWhatsApp(id: string, onOpen?: () => void): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf(folder, id));
  const socket = makeWASocket({
    auth: state,
    waWebSocketUrl: url,
    getMessage: async (key) => sent.get(key.id ?? ''),
    cachedGroupMetadata: async (jid) => groups.get(jid),
  });
  sockets.set(id, socket);
  socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'open') onOpen?.();
    if (connection === 'close' && statusOf(lastDisconnect?.error) !== DisconnectReason.loggedOut) {
      void connectToWhatsApp(id);
    }
  });
  socket.ev.on('messages.upsert', ({ messages }) => {
    for (const { message } of messages) {
      const text = message?.conversation ?? message?.extendedTextMessage?.text;
      if (text != null) arrivals.add(text);
    }
  });
  socket.ev.on('creds.update', saveCreds);
}

function statusOf(error: Error | undefined): number | undefined {
  const output: unknown = error !== undefined && 'output' in error ? error.output : undefined;
  const isOutput = typeof output === 'object' && output !== null && 'statusCode' in output;
  return isOutput ? Number(output.statusCode) : undefined;
}

async function open({ sessions: added }: z.infer<typeof openRequest>): Promise<void> {
  const waiting = added.values();
  const openSome = async () => {
    for (const each of waiting) {
      sessions.set(each.id, each);
      await new Promise<void>((resolve, reject) => {
        connectToWhatsApp(each.id, resolve).catch(reject);
      });
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, openSome));
}

/** Lets the sessions send messages. Resolves when WhatsApp has acknowledged all, with how long each took, ms. */
async function send({ label, chat, perSecond, ...turns }: Writing): Promise<number[]> {
  const times: number[] = [];
  await paced(turnsOf(turns), perSecond, async (id, index) => {
    const socket = sockets.get(id);
    const to = sessions.get(id);
    if (socket === undefined || to === undefined) throw new Error(`there is no session ${id}`);
    if (chat === 'group' && !groups.has(to.group)) groups.set(to.group, await socket.groupMetadata(to.group));
    const text = textOf(label, index);
    const begun = performance.now();
    // The first stanza that names the message is its acknowledgement.
    const acknowledged = socket.waitForMessage(text, ACK_MS);
    const message = await socket.sendMessage(to[chat], { text }, { messageId: text });
    if (message?.message != null) sent.set(text, message.message);
    await acknowledged;
    times.push(performance.now() - begun);
  });
  return times;
}

const openRequest = z.object({ sessions: z.array(session) });

serveOperations({
  open: operation(openRequest, open),
  send: operation(writeRequest, send),
  arrived: operation(arrivedRequest, ({ label, count }) => arrivals.settle(label, count)),
});
