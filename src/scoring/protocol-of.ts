import type { ModelEndpoint } from '../models/model.ts';
import type { ScoringProtocol } from './endpoint.ts';
import { mlflow } from './mlflow.ts';
import { openInference } from './open-inference.ts';

const protocols: Readonly<Record<ModelEndpoint['protocol'], ScoringProtocol>> = {
  OPEN_INFERENCE_V2: openInference,
  MLFLOW: mlflow,
};

export function protocolOf({ protocol }: Pick<ModelEndpoint, 'protocol'>): ScoringProtocol {
  return protocols[protocol];
}
