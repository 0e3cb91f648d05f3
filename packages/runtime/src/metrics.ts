import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** A metric's value; or one for each set of labels. */
export type Reading =
  | number
  | readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];

interface Metric {
  /** In Prometheus' style: `wafleet_edge_sockets`, and `…_total` for what only grows. */
  readonly name: string;
  /** What is counted, in a sentence. */
  readonly help: string;
  readonly labels?: readonly string[];
  /** Called for each request for the metrics, so that counting costs the program no more than an addition. */
  readonly read: () => Reading;
}

/** The metrics of a process at `GET /metrics`, in the text format of Prometheus. One instance for each process. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();

  /** Includes the metrics of the process itself: CPU, memory, the event loop's delay, garbage collection. */
  static ofProcess(): Metrics {
    const metrics = new Metrics();
    collectDefaultMetrics({ register: metrics.#registry });
    return metrics;
  }

  /** Registers a value that goes up and down. */
  gauge(metric: Metric): void {
    const gauge: Gauge = new Gauge({ ...this.#settings(metric), collect: () => tell(metric, gauge) });
  }

  /** Registers a value that only grows. `read` returns the total since the start. */
  counter(metric: Metric): void {
    const counter: Counter = new Counter({
      ...this.#settings(metric),
      collect: () => tell(metric, counter),
    });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #settings({ name, help, labels = [] }: Metric) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

/** Sets a metric. After a reset, an increase sets a gauge's value just as it sets a counter's. */
function tell(metric: Metric, target: Gauge | Counter): void {
  target.reset();
  const reading = metric.read();
  const values = typeof reading === 'number' ? [{ labels: {}, value: reading }] : reading;
  for (const { labels, value } of values) target.inc({ ...labels }, value);
}
