import { sentMessageSchema, WafleetError } from '@wafleet/contract';
import { NotSupportedError } from '@wafleet/store';
import type { Handle } from '@wafleet/store/testing';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer } from '../testing/raw-request.js';

const fixture = useCluster();

const send = (body: unknown = { to: '15551230001', text: 'hi' }) =>
  fixture.send('POST /api/sessions/shop-1/messages', body);

/** Echoes the message id, as a worker does once WhatsApp has taken the message. */
const deliver: Handle = async (command) => ('messageId' in command ? { messageId: command.messageId } : {});

describe('POST /api/sessions/:id/messages', () => {
  it('has the owner send the text under an id chosen here', async () => {
    const worker = await fixture.cluster.startWorker(deliver);
    await worker.own(fixture.tenant.tenantId, 'shop-1');

    const { status, body } = await send({ to: '120363061982759618@g.us', text: 'hällo\n👋' });
    expect(status).toBe(200);
    const { messageId } = sentMessageSchema.parse(body);
    expect(messageId).toMatch(/^3EB0[0-9A-F]{18}$/);
    expect(worker.received).toEqual([
      {
        kind: 'send-text',
        tenantId: fixture.tenant.tenantId,
        sessionId: 'shop-1',
        messageId,
        to: '120363061982759618@g.us',
        text: 'hällo\n👋',
      },
    ]);
  });

  it('follows a session that moved, though its former owner is remembered', async () => {
    let moved = false;
    const former = await fixture.cluster.startWorker(async (command, worker) => {
      if (moved) return worker.refuse(command);
      return deliver(command, worker);
    });
    const fence = await former.own(fixture.tenant.tenantId, 'shop-1');
    expect(await send()).toMatchObject({ status: 200 });

    const next = await fixture.cluster.startWorker(deliver);
    await former.release(fence);
    await next.claim(fence);
    moved = true;

    expect(await send()).toMatchObject({ status: 200 });
    expect(former.received).toHaveLength(2);
    expect(next.received).toHaveLength(1);
  });

  it('waits for a session that its worker hands over', async () => {
    const next = await fixture.cluster.startWorker(deliver);
    const former = await fixture.cluster.startWorker(async (command, worker) => {
      void handOver();
      return worker.refuse(command);
    });
    const fence = await former.own(fixture.tenant.tenantId, 'shop-1');
    const handOver = async () => {
      await former.sessions.setStatus(fence, { status: 'queued', reason: 'drain' });
      await former.release(fence);
      await next.claim(fence);
    };
    expect(await send()).toMatchObject({ status: 200 });
    expect(former.received).toHaveLength(1);
    expect(next.received).toHaveLength(1);
  });

  it('follows a session whose remembered owner died', async () => {
    const former = await fixture.cluster.startWorker(deliver);
    const fence = await former.own(fixture.tenant.tenantId, 'shop-1');
    expect(await send()).toMatchObject({ status: 200 });

    await former.die();
    expect(await send()).toMatchObject(errorAnswer(503, 'NO_WORKER', { status: 'queued' }));

    const next = await fixture.cluster.startWorker(deliver);
    await next.claim(fence, { expectPrevious: former.id });
    expect(await send()).toMatchObject({ status: 200 });
    expect(next.received).toHaveLength(1);
  });

  /** A worker of an earlier release, and one that knows the command. */
  async function workersOfTwoReleases({ draining }: { draining: boolean }) {
    const next = await fixture.cluster.startWorker(deliver);
    const former = await fixture.cluster.startWorker(async ({ kind }) => {
      if (draining) void handOver();
      throw new NotSupportedError(kind);
    });
    if (draining) await former.announceDrain();
    const fence = await former.own(fixture.tenant.tenantId, 'shop-1');
    const handOver = async () => {
      await former.sessions.setStatus(fence, { status: 'queued', reason: 'drain' });
      await former.release(fence);
      await next.claim(fence);
    };
    return { former, next };
  }

  it('has the next owner send it if the worker does not know the command and hands the session over', async () => {
    const { former, next } = await workersOfTwoReleases({ draining: true });
    expect(await send()).toMatchObject({ status: 200 });
    expect([former.received.length, next.received.length]).toEqual([1, 1]);
  });

  it('says that the worker does not know the command if it keeps the session', async () => {
    const { former, next } = await workersOfTwoReleases({ draining: false });
    expect(await send()).toMatchObject(
      errorAnswer(501, 'NOT_SUPPORTED', { retryAfterMs: expect.any(Number) }),
    );
    expect([former.received.length, next.received.length]).toEqual([1, 0]);
  });

  it.each(['SESSION_NOT_OPEN', 'UNAVAILABLE', 'WHATSAPP_REFUSED', 'OUTCOME_UNKNOWN'] as const)(
    'names the message’s id in the error %s, also without an Idempotency-Key',
    async (code) => {
      const worker = await fixture.cluster.startWorker(async () => {
        throw new WafleetError(code, 'It failed.');
      });
      await worker.own(fixture.tenant.tenantId, 'shop-1');
      const { body } = await send();
      const [command] = worker.received;
      const messageId = command !== undefined && 'messageId' in command ? command.messageId : undefined;
      expect(messageId).toMatch(/^3EB0/);
      expect(body).toMatchObject({ error: { code, details: { messageId } } });
    },
  );

  it('tells the worker’s error', async () => {
    const worker = await fixture.cluster.startWorker(async () => {
      throw new WafleetError('RECIPIENT_NOT_FOUND', 'The recipient is not on WhatsApp.');
    });
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    expect(await send()).toMatchObject(errorAnswer(404, 'RECIPIENT_NOT_FOUND'));
  });

  it('hides an unexpected failure of the worker', async () => {
    const worker = await fixture.cluster.startWorker(async () => {
      throw new Error('a secret detail');
    });
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const answer = await send();
    expect(answer).toMatchObject(errorAnswer(500, 'INTERNAL'));
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('says that the session waits for a worker', async () => {
    await fixture.cluster.sessions.create({ tenantId: fixture.tenant.tenantId, sessionId: 'shop-1' });
    expect(await send()).toMatchObject(errorAnswer(503, 'NO_WORKER', { status: 'queued' }));
  });

  it.each(['closed', 'logged_out', 'failed'] as const)('says that the session is %s', async (status) => {
    const worker = await fixture.cluster.startWorker(deliver);
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status, reason: 'because' });
    await worker.release(fence);
    expect(await send()).toMatchObject(errorAnswer(409, 'SESSION_NOT_OPEN', { status, reason: 'because' }));
  });

  it.each([
    [{ to: '15551230001' }, 'body.text'],
    [{ to: '15551230001', text: '' }, 'body.text'],
    [{ to: '15551230001', text: 'x'.repeat(65_537) }, 'body.text'],
    [{ text: 'hi' }, 'body.to'],
    [{ to: 'Carl', text: 'hi' }, 'body.to'],
    [{ to: '15551230001@example.com', text: 'hi' }, 'body.to'],
    [{ to: ['15551230001'], text: 'hi' }, 'body.to'],
    [{ to: '15551230001', text: 'hi', messageId: 'mine' }, 'body'],
  ])('refuses %j', async (body, path) => {
    expect(await send(body)).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED', { issues: [{ path }] }));
  });

  it('has the owner send any content as a command that workers of an earlier release do not know', async () => {
    const worker = await fixture.cluster.startWorker(deliver);
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const message = {
      to: '15551230001',
      content: { type: 'poll', question: 'Drink?', options: ['tea', 'coffee'] },
      quote: { messageId: 'A1' },
    };
    expect(await send(message)).toMatchObject({ status: 200 });
    expect(await send({ to: '15551230001', text: 'hi', disappearing: 86_400 })).toMatchObject({
      status: 200,
    });
    expect(worker.received).toMatchObject([
      { kind: 'send-message', ...message, messageId: expect.stringMatching(/^3EB0/) },
      { kind: 'send-message', to: '15551230001', text: 'hi', disappearing: 86_400 },
    ]);
  });

  it.each([
    [{ to: '15551230001', text: 'hi', content: { type: 'text', text: 'hi' } }, 'body.text'],
    [{ to: '15551230001', content: { type: 'buttons' } }, 'body.content.type'],
    [
      { to: '15551230001', content: { type: 'location', latitude: 91, longitude: 0 } },
      'body.content.latitude',
    ],
    [{ to: '15551230001', text: 'hi', typing: 10_001 }, 'body.typing'],
  ])('refuses %j', async (body, path) => {
    expect(await send(body)).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED', { issues: [{ path }] }));
  });

  it('takes the longest text, however it is written', async () => {
    const worker = await fixture.cluster.startWorker(deliver);
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const response = await fetch(`${fixture.edge.url}/api/sessions/shop-1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': fixture.tenant.key, 'content-type': 'application/json' },
      body: `{"to":"15551230001","text":"${'\\u0041'.repeat(65_536)}"}`,
    });
    expect(response.status).toBe(200);
    expect(worker.received).toMatchObject([{ text: 'A'.repeat(65_536) }]);
  });
});

describe('a call on a message', () => {
  it('goes to the owner with what the path, the query and the body say, under an id chosen here', async () => {
    const worker = await fixture.cluster.startWorker(deliver);
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const target = 'A/1 é';
    const path = `/api/sessions/shop-1/messages/${encodeURIComponent(target)}`;
    const query = 'chat=120363061982759618@g.us&sender=me';
    const edit = { text: 'hello' };
    expect(await fixture.send(`PATCH ${path}?chat=15551230001`, edit)).toMatchObject({ status: 200 });
    expect(await fixture.send(`DELETE ${path}?${query}`)).toMatchObject({ status: 200 });
    expect(await fixture.send(`PUT ${path}/star`)).toMatchObject({ status: 200, body: {} });
    const named = { target, chat: '120363061982759618@g.us', sender: 'me' };
    expect(worker.received).toMatchObject([
      { kind: 'edit-message', target, chat: '15551230001', text: 'hello', messageId: expect.any(String) },
      { kind: 'delete-message', ...named, messageId: expect.any(String) },
      { kind: 'star-message', target },
    ]);
  });

  it.each([
    ['DELETE', 'A1?messageId=mine', 'querystring'],
    ['DELETE', 'A1?chat=Carl', 'querystring.chat'],
    ['DELETE', 'A1?chat=15551230001&sender=Carl', 'querystring.sender'],
    ['PUT', 'A1/star?to=15551230001', 'querystring'],
  ])('refuses %s %s', async (method, path, at) => {
    expect(await fixture.send(`${method} /api/sessions/shop-1/messages/${path}`)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED', { issues: [{ path: expect.stringContaining(at) }] }),
    );
  });

  it('of a command without a query takes nothing from it', async () => {
    const worker = await fixture.cluster.startWorker(deliver);
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const call = 'POST /api/sessions/shop-1/messages?kind=unlink&content=x';
    expect(await fixture.send(call, { to: '15551230001', text: 'hi' })).toMatchObject({ status: 200 });
    expect(worker.received).toMatchObject([{ kind: 'send-text', text: 'hi' }]);
    expect(worker.received[0]).not.toHaveProperty('content');
  });
});
