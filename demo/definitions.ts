/**
 * How late departures from an airport have been, per hour: over the last 1, 3 and 24 hours. A flight's delay is known when it has left, so
 * a row is known when the last flight that it counts has.
 */
export const airportHourly = `
WITH hourly AS (
  SELECT origin, date_trunc('hour', date) AS hour, count(*) AS flights, sum(delay) AS delay,
         count(*) FILTER (WHERE delay > 15) AS late, max(date + to_minutes(greatest(delay, 0))) AS last_departure
  FROM raw.flights GROUP BY ALL
), windows AS (
  SELECT origin, hour + INTERVAL 1 HOUR AS event_time, max(last_departure) OVER day AS last_departure,
         sum(flights) OVER one AS flights_1h, sum(delay) OVER one AS delay_1h, sum(late) OVER one AS late_1h,
         sum(flights) OVER three AS flights_3h, sum(delay) OVER three AS delay_3h, sum(late) OVER three AS late_3h,
         sum(flights) OVER day AS flights_24h, sum(delay) OVER day AS delay_24h, sum(late) OVER day AS late_24h
  FROM hourly
  WINDOW one AS (PARTITION BY origin ORDER BY hour RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
         three AS (PARTITION BY origin ORDER BY hour RANGE BETWEEN INTERVAL 2 HOURS PRECEDING AND CURRENT ROW),
         day AS (PARTITION BY origin ORDER BY hour RANGE BETWEEN INTERVAL 23 HOURS PRECEDING AND CURRENT ROW)
)
SELECT origin, event_time, greatest(event_time, last_departure) AS known_time,
       flights_1h::BIGINT AS flights_1h, delay_1h / flights_1h AS mean_delay_1h, late_1h / flights_1h AS late_share_1h,
       flights_3h::BIGINT AS flights_3h, delay_3h / flights_3h AS mean_delay_3h, late_3h / flights_3h AS late_share_3h,
       flights_24h::BIGINT AS flights_24h, delay_24h / flights_24h AS mean_delay_24h, late_24h / flights_24h AS late_share_24h
FROM windows`;

/** The same for each route and day. */
export const routeDaily = `
SELECT origin, destination, date_trunc('day', date) + INTERVAL 1 DAY AS event_time,
       greatest(date_trunc('day', date) + INTERVAL 1 DAY, max(date + to_minutes(greatest(delay, 0)))) AS known_time,
       count(*) AS flights, avg(delay) AS mean_delay, count(*) FILTER (WHERE delay > 15) / count(*) AS late_share
FROM raw.flights GROUP BY origin, destination, date_trunc('day', date)`;
