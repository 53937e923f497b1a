/** Traces by OpenTelemetry's SDK and Temporal's own interceptors. Loaded only where traces are wanted. */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ClientInterceptors } from '@temporalio/client';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type { ActivityInterceptorsFactory, WorkerOptions } from '@temporalio/worker';
import manifest from '../../package.json' with { type: 'json' };
import { wantedIds } from './trace-context.ts';

export interface Tracing {
  readonly clientInterceptors: ClientInterceptors;
  readonly activityInterceptors: readonly ActivityInterceptorsFactory[];
  /** Takes the spans out of the workflows' sandbox. */
  readonly sinks: NonNullable<WorkerOptions['sinks']>;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

/** Where to and how, exporter and processor read from the standard `OTEL_*` themselves. */
export function startTracing(service: string): Tracing {
  const ours = new Resource({ 'service.name': service, 'service.version': manifest.version });
  const resource = ours.merge(detectResourcesSync({ detectors: [envDetectorSync] }));
  const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter());
  const random = new RandomIdGenerator();
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [spanProcessor],
    idGenerator: {
      generateTraceId: () => wantedIds().traceId ?? random.generateTraceId(),
      generateSpanId: () => wantedIds().spanId ?? random.generateSpanId(),
    },
  });
  provider.register();
  return {
    clientInterceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
    activityInterceptors: [
      (activity) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity) }),
    ],
    sinks: { exporter: makeWorkflowExporter(spanProcessor, resource) },
    close: () => provider.shutdown(),
  };
}
