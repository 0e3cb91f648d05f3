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
  /** Called whenever somebody asks, so that counting costs the program no more than an addition. */
  readonly read: () => Reading;
}

/** What a process tells about itself at `GET /metrics`, in the text format of Prometheus. One for each process. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();

  /** The process itself too: CPU, memory, the event loop's delay, garbage collection. */
  static ofProcess(): Metrics {
    const metrics = new Metrics();
    collectDefaultMetrics({ register: metrics.#registry });
    return metrics;
  }

  /** What goes up and down. */
  gauge(metric: Metric): void {
    const gauge: Gauge = new Gauge({ ...this.#settings(metric), collect: () => tell(metric, gauge) });
  }

  /** What only grows. `read` gives all that was counted since the start. */
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

/** A gauge that was set back takes an increase as its value, as a counter does. */
function tell(metric: Metric, target: Gauge | Counter): void {
  target.reset();
  const reading = metric.read();
  const values = typeof reading === 'number' ? [{ labels: {}, value: reading }] : reading;
  for (const { labels, value } of values) target.inc({ ...labels }, value);
}
