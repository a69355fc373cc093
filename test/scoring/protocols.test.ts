import { describe, expect, test } from 'vitest';
import { parseJson } from '../../src/iceberg/json.ts';
import type { ModelEndpoint, ModelSignature } from '../../src/models/model.ts';
import { AllowedOrigins } from '../../src/scoring/allowed-origins.ts';
import { checkAnswer } from '../../src/scoring/answer-check.ts';
import { mlflow } from '../../src/scoring/mlflow.ts';
import { openInference } from '../../src/scoring/open-inference.ts';

const endpoint: ModelEndpoint = { url: 'http://model:8080/', protocol: 'OPEN_INFERENCE_V2', model: 'a b', version: null };
const field = (name: string, type: string, required = true) => ({ name, type, required });
const signature: ModelSignature = {
  inputs: [field('n', 'long'), field('x', 'double'), field('s', 'string'), field('d', 'date')],
  outputs: [field('p', 'double'), field('label', 'string', false)],
};
const batch = {
  rowCount: 2,
  columns: [
    ['9223372036854775807', '-1'],
    [0.5, 'NaN'],
    ['a', null],
    ['2001-01-01', null],
  ],
};

describe('Open Inference Protocol v2', () => {
  test('a request: one tensor a column, long integers exact, what JSON cannot say as null', () => {
    const { url, body } = openInference.request(endpoint, signature, batch);
    expect(url).toBe('http://model:8080/v2/models/a%20b/infer');
    expect(openInference.request({ ...endpoint, version: '7' }, signature, batch).url).toContain('/versions/7/infer');
    expect(parseJson(body)).toEqual({
      inputs: [
        { name: 'n', shape: [2, 1], datatype: 'INT64', data: [9223372036854775807n, -1] },
        { name: 'x', shape: [2, 1], datatype: 'FP64', data: [0.5, null] },
        { name: 's', shape: [2, 1], datatype: 'BYTES', data: ['a', null] },
        { name: 'd', shape: [2, 1], datatype: 'BYTES', data: ['2001-01-01', null] },
      ],
      outputs: [{ name: 'p' }, { name: 'label' }],
    });
  });

  test('an answer, in any order of outputs and any nesting of data', () => {
    const body = {
      model_name: 'a b',
      model_version: '3',
      outputs: [
        { name: 'label', data: ['yes', null] },
        { name: 'p', data: [[0.25], ['NaN']] },
      ],
    };
    const answer = openInference.answer(endpoint, signature, batch, body);
    expect(answer).toEqual({
      columns: [
        [0.25, 'NaN'],
        ['yes', null],
      ],
      model: 'a b',
      version: '3',
    });
    expect(() => checkAnswer(endpoint, signature, answer)).not.toThrow();
    expect(() => checkAnswer({ ...endpoint, version: '4' }, signature, answer)).toThrow('version "3"');
    expect(() => checkAnswer({ ...endpoint, model: 'c' }, signature, answer)).toThrow('model "a b"');
    expect(() =>
      checkAnswer(endpoint, signature, {
        ...answer,
        columns: [
          [0.25, true],
          ['yes', null],
        ],
      }),
    ).toThrow('signature');
    expect(() =>
      checkAnswer(endpoint, signature, {
        ...answer,
        columns: [
          [0.25, null],
          ['yes', null],
        ],
      }),
    ).toThrow('no value');
  });

  test('an answer without an output, of another length, or of no object is refused', () => {
    const wrong = (body: unknown) => () => openInference.answer(endpoint, signature, batch, body);
    expect(wrong({ outputs: [{ name: 'p', data: [1, 2] }] })).toThrow('no output "label"');
    expect(wrong({ outputs: [{ name: 'p', data: [1] }] })).toThrow('1 values');
    expect(wrong([])).toThrow('no object');
    expect(wrong({})).toThrow('no output "p"');
  });

  test('a nested input cannot be sent', () => {
    const nested = { ...signature, inputs: [field('v', 'list<double>')] };
    expect(() => openInference.request(endpoint, nested, { rowCount: 0, columns: [[]] })).toThrow('list<double>');
    expect(() => openInference.check(nested)).toThrow('list<double>');
    expect(() => openInference.check({ ...signature, outputs: [field('v', 'map<string, long>')] })).toThrow('map');
    expect(() => mlflow.check(nested)).not.toThrow();
  });
});

describe('MLflow', () => {
  test('a request and its answers: numbers, lists or objects a row', () => {
    const { url, body } = mlflow.request(endpoint, signature, batch);
    expect(url).toBe('http://model:8080/invocations');
    expect(parseJson(body)).toEqual({
      dataframe_split: {
        columns: ['n', 'x', 's', 'd'],
        data: [
          [9223372036854775807n, 0.5, 'a', '2001-01-01'],
          [-1, null, null, null],
        ],
      },
    });
    const one = { ...signature, outputs: [field('p', 'double')] };
    const none = { model: null, version: null };
    expect(mlflow.answer(endpoint, one, batch, { predictions: [1, 2] })).toEqual({ columns: [[1, 2]], ...none });
    expect(mlflow.answer(endpoint, one, batch, { predictions: [[1], [2]] })).toEqual({ columns: [[1, 2]], ...none });
    const rows = [
      { label: 'a', p: 1 },
      { label: 'b', p: 2 },
    ];
    expect(mlflow.answer(endpoint, signature, batch, { predictions: rows }).columns).toEqual([
      [1, 2],
      ['a', 'b'],
    ]);
    expect(() => mlflow.answer(endpoint, one, batch, { predictions: [1] })).toThrow('1 predictions');
    expect(() => mlflow.answer(endpoint, signature, batch, { predictions: [1, 2] })).toThrow('2 outputs');
    expect(() => mlflow.answer(endpoint, one, batch, {})).toThrow('no list');
  });
});

test('origins are compared as origins', () => {
  const origins = new AllowedOrigins(['http://model:8080', 'https://models.example.com/ignored']);
  expect(() => origins.check({ url: 'http://model:8080/any/path' })).not.toThrow();
  expect(() => origins.check({ url: 'https://models.example.com:443' })).not.toThrow();
  for (const url of ['https://model:8080', 'http://model:8081', 'http://model.evil.com:8080', 'http://models.example.com']) {
    expect(() => origins.check({ url })).toThrow('may not call');
  }
  for (const url of ['http://user@model:8080', 'file:///etc/passwd', 'model'])
    expect(() => origins.check({ url })).toThrow('no http');
});
