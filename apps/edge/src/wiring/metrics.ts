import { CLOSE_REASONS, type CloseReason, NAMESPACES, type WafleetError } from '@wafleet/contract';
import type { Metrics } from '@wafleet/runtime';
import type { BufferBudget } from '../fanout/buffer-budget.js';
import type { EventFanout } from '../fanout/event-fanout.js';
import type { WriteTally } from '../fanout/socket-writer.js';
import { OUTCOMES, type Outcome } from '../forwarding/forwarder.js';
import { JOB_MESSAGE_OUTCOMES, type JobMessageOutcome } from '../jobs/job-part.js';
import type { JobRunner } from '../jobs/job-runner.js';
import { LIMITS, type Limit } from '../limits/client-limits.js';
import type { FairPace } from '../limits/fair-pace.js';
import type { OpenConnections } from '../limits/open-connections.js';
import { refusedLimit } from '../limits/refused-limit.js';
import type { Turns } from '../limits/turns.js';
import { DOWNLOAD_OUTCOMES, type DownloadOutcome, type MediaDownloads } from '../media/media-downloads.js';
import type { UploadPlaces } from '../sending/upload-places.js';
import type { EventServer } from '../sockets/event-socket.js';
import type { ReplayGate } from '../streams/replay-gate.js';

/** The counters of an edge since its start. The component that does the work increments them. */
export class EdgeCounters {
  readonly written: WriteTally = { events: 0, writes: 0, bytes: 0 };
  /** Events that were read from the log because the channel did not bring them. */
  eventsFilled = 0;
  /** Clients with an open stream of Server-Sent Events. */
  sseClients = 0;
  /** Events given to these clients. */
  sseEvents = 0;
  readonly #closed = new Map<CloseReason, number>();

  readonly #forwarded = new Map<Outcome, number>();

  countForwarded(outcome: Outcome): void {
    this.#forwarded.set(outcome, this.forwarded(outcome) + 1);
  }

  forwarded(outcome: Outcome): number {
    return this.#forwarded.get(outcome) ?? 0;
  }

  readonly #downloads = new Map<DownloadOutcome, number>();

  countDownload(outcome: DownloadOutcome): void {
    this.#downloads.set(outcome, this.downloads(outcome) + 1);
  }

  downloads(outcome: DownloadOutcome): number {
    return this.#downloads.get(outcome) ?? 0;
  }

  readonly #jobMessages = new Map<JobMessageOutcome, number>();

  countJobMessage(outcome: JobMessageOutcome): void {
    this.#jobMessages.set(outcome, this.jobMessages(outcome) + 1);
  }

  jobMessages(outcome: JobMessageOutcome): number {
    return this.#jobMessages.get(outcome) ?? 0;
  }

  readonly #limited = new Map<Limit, number>();

  countLimited(limit: Limit): void {
    this.#limited.set(limit, this.limited(limit) + 1);
  }

  /**
   * Counts the limit that an error reports to a client, unless it is counted where the limit is found to be exceeded.
   */
  countRefused(error: WafleetError): void {
    const limit = refusedLimit(error);
    if (limit !== undefined) this.countLimited(limit);
  }

  limited(limit: Limit): number {
    return this.#limited.get(limit) ?? 0;
  }

  countClosed(reason: CloseReason): void {
    this.#closed.set(reason, this.closed(reason) + 1);
  }

  closed(reason: CloseReason): number {
    return this.#closed.get(reason) ?? 0;
  }
}

/** Adds the metrics of an edge to /metrics. docs/operations.md lists them; a test keeps the list identical. */
export function addEdgeMetrics(
  metrics: Metrics,
  {
    io,
    fanout,
    media,
    jobRunner,
    uploads,
    open,
    buffers,
    replays,
    turns,
    pace,
    tally,
  }: {
    io: EventServer;
    fanout: EventFanout;
    media: Pick<MediaDownloads, 'count'>;
    jobRunner: Pick<JobRunner, 'count'>;
    uploads: Pick<UploadPlaces, 'taken'>;
    open: Pick<OpenConnections, 'count'>;
    buffers: Pick<BufferBudget, 'bytes'>;
    replays: Pick<ReplayGate, 'count' | 'bytesRead'>;
    turns: Pick<Turns, 'size'>;
    pace: Pick<FairPace, 'periods'>;
    tally: EdgeCounters;
  },
): void {
  metrics.gauge({
    name: 'wafleet_edge_sockets',
    help: 'Sockets that are connected, by namespace.',
    labels: ['namespace'],
    read: () =>
      NAMESPACES.map((namespace) => ({ labels: { namespace }, value: io.of(namespace).sockets.size })),
  });
  metrics.counter({
    name: 'wafleet_edge_events_delivered_total',
    help: 'Events given to clients as they come: each event once for each client that is subscribed to it.',
    read: () => fanout.delivered,
  });
  metrics.counter({
    name: 'wafleet_edge_events_written_total',
    help: 'Events handed to a transport, once for each socket.',
    read: () => tally.written.events,
  });
  metrics.counter({
    name: 'wafleet_edge_writes_total',
    help: 'Writes that these took: one holds several events when they come close together.',
    read: () => tally.written.writes,
  });
  metrics.counter({
    name: 'wafleet_edge_bytes_written_total',
    help: 'Bytes of these events.',
    read: () => tally.written.bytes,
  });
  metrics.gauge({
    name: 'wafleet_edge_buffered_bytes',
    help: 'Bytes of events that wait in memory for clients which have not read them.',
    read: () => buffers.bytes,
  });
  metrics.gauge({
    name: 'wafleet_edge_replays',
    help: 'Clients that are being given what they missed, or wait for it.',
    read: () => replays.count,
  });
  metrics.counter({
    name: 'wafleet_edge_replayed_bytes_total',
    help: 'Bytes of the logs that were read for clients that missed something.',
    read: () => replays.bytesRead,
  });
  metrics.gauge({
    name: 'wafleet_edge_waiting_requests',
    help: 'Calls, connections, handshakes and subscriptions that wait for their turn to begin.',
    read: () => turns.size,
  });
  metrics.counter({
    name: 'wafleet_edge_paced_periods_total',
    help: 'Tenths of a second in which some of them waited since the edge was busy and their tenant had begun its share.',
    read: () => pace.periods,
  });
  metrics.gauge({
    name: 'wafleet_edge_sse_streams',
    help: 'Streams of Server-Sent Events that are open.',
    read: () => tally.sseClients,
  });
  metrics.counter({
    name: 'wafleet_edge_sse_events_total',
    help: 'Events given to streams of Server-Sent Events, once for each stream.',
    read: () => tally.sseEvents,
  });
  metrics.counter({
    name: 'wafleet_edge_events_filled_total',
    help: 'Events that the channel did not bring and that were read from the log instead.',
    read: () => tally.eventsFilled,
  });
  metrics.counter({
    name: 'wafleet_edge_connections_closed_total',
    help: 'Connections that the edge ended, by reason.',
    labels: ['reason'],
    read: () => closeReasons.map((reason) => ({ labels: { reason }, value: tally.closed(reason) })),
  });
  metrics.counter({
    name: 'wafleet_edge_limits_exceeded_total',
    help: 'How often a client was refused or closed because of a limit, by limit.',
    labels: ['limit'],
    read: () => LIMITS.map((limit) => ({ labels: { limit }, value: tally.limited(limit) })),
  });
  metrics.gauge({
    name: 'wafleet_edge_connections',
    help: 'Connections of clients that are open, whatever they are used for.',
    read: () => open.count,
  });
  metrics.gauge({
    name: 'wafleet_edge_media_downloads',
    help: 'Files of messages that are being handed out.',
    read: () => media.count,
  });
  metrics.counter({
    name: 'wafleet_edge_media_downloads_total',
    help: 'Files of messages that were asked for, by how that ended.',
    labels: ['outcome'],
    read: () =>
      DOWNLOAD_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: tally.downloads(outcome) })),
  });
  metrics.gauge({
    name: 'wafleet_edge_media_uploads',
    help: 'Files for messages that are being received, converted and uploaded.',
    read: () => uploads.taken,
  });
  metrics.counter({
    name: 'wafleet_edge_requests_forwarded_total',
    help: 'Requests of long-polling clients whose connection another edge has, by what came of them.',
    labels: ['outcome'],
    read: () => OUTCOMES.map((outcome) => ({ labels: { outcome }, value: tally.forwarded(outcome) })),
  });
  metrics.gauge({
    name: 'wafleet_edge_jobs',
    help: 'Jobs that this edge is sending messages of.',
    read: () => jobRunner.count,
  });
  metrics.counter({
    name: 'wafleet_edge_job_messages_total',
    help: 'Tries to send a message of a job, by what came of them.',
    labels: ['outcome'],
    read: () =>
      JOB_MESSAGE_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: tally.jobMessages(outcome) })),
  });
}

const closeReasons = Object.keys(CLOSE_REASONS) as CloseReason[];
