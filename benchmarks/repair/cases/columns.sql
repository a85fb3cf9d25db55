-- Column names that are not there: guessed, half remembered, of another table, in the wrong case or number.

-- case: departure delay in full
-- answer: SELECT avg(dep_delay) FROM flights
SELECT AVG(departure_delay) FROM flights

-- case: arrival delay in full, grouped
-- answer: SELECT carrier, avg(arr_delay) FROM flights GROUP BY carrier
SELECT carrier, AVG(arrival_delay) AS mean_delay FROM flights GROUP BY carrier

-- case: airline for carrier
-- answer: SELECT carrier, count(*) FROM flights GROUP BY carrier
SELECT airline, COUNT(*) FROM flights GROUP BY airline

-- case: a plural
-- answer: SELECT distinct origin FROM flights
SELECT DISTINCT origins FROM flights

-- case: destination in full
-- answer: SELECT dest, count(*) FROM flights GROUP BY dest ORDER BY count(*) DESC LIMIT 5
SELECT destination, COUNT(*) AS n FROM flights GROUP BY destination ORDER BY n DESC LIMIT 5

-- case: camelCase
-- answer: SELECT avg(dep_delay) FROM flights WHERE dep_delay > 0
SELECT AVG(depDelay) FROM flights WHERE depDelay > 0

-- case: tail_number
-- answer: SELECT tailnum, count(*) FROM flights WHERE tailnum IS NOT NULL GROUP BY tailnum ORDER BY 2 DESC, 1 LIMIT 3
SELECT tail_number, COUNT(*) FROM flights WHERE tail_number IS NOT NULL GROUP BY tail_number ORDER BY 2 DESC, 1 LIMIT 3

-- case: a name with its alias
-- answer: SELECT f.carrier, max(f.distance) FROM flights f GROUP BY f.carrier
SELECT f.carrier, MAX(f.distnace) FROM flights f GROUP BY f.carrier

-- case: code of an airport
-- answer: SELECT faa, name FROM airports WHERE faa = 'JFK'
SELECT faa_code, name FROM airports WHERE faa_code = 'JFK'

-- case: carrier_code through a join
-- answer: SELECT a.name, count(*) FROM flights f JOIN airlines a ON f.carrier = a.carrier GROUP BY a.name
SELECT a.name, COUNT(*) FROM flights f JOIN airlines a ON f.carrier = a.carrier_code GROUP BY a.name

-- case: airline name
-- answer: SELECT name FROM airlines WHERE carrier = 'UA'
SELECT airline_name FROM airlines WHERE carrier = 'UA'

-- case: latitude and longitude
-- answer: SELECT name, lat, lon FROM airports WHERE faa = 'BOS'
SELECT name, latitude, longitude FROM airports WHERE faa = 'BOS'

-- case: altitude
-- answer: SELECT max(alt) FROM airports
SELECT MAX(altitude) FROM airports

-- case: timezone
-- answer: SELECT tzone, count(*) FROM airports GROUP BY tzone
SELECT timezone, COUNT(*) FROM airports GROUP BY timezone

-- case: temperature
-- answer: SELECT origin, max(temp) FROM weather GROUP BY origin
SELECT origin, MAX(temperature) FROM weather GROUP BY origin

-- case: humidity and visibility
-- answer: SELECT avg(humid), avg(visib) FROM weather
SELECT AVG(humidity), AVG(visibility) FROM weather

-- case: windspeed
-- answer: SELECT max(wind_speed) FROM weather
SELECT MAX(windspeed) FROM weather

-- case: precipitation
-- answer: SELECT sum(precip) FROM weather WHERE origin = 'LGA'
SELECT SUM(precipitation) FROM weather WHERE origin = 'LGA'

-- case: number of seats
-- answer: SELECT manufacturer, avg(seats) FROM planes GROUP BY manufacturer
SELECT manufacturer, AVG(num_seats) FROM planes GROUP BY manufacturer

-- case: maker for manufacturer
-- answer: SELECT manufacturer, count(*) FROM planes GROUP BY manufacturer
SELECT maker, COUNT(*) FROM planes GROUP BY maker

-- case: scheduled departure in full
-- answer: SELECT count(*) FROM flights WHERE sched_dep_time < 600
SELECT COUNT(*) FROM flights WHERE scheduled_dep_time < 600

-- case: flight number
-- answer: SELECT carrier, flight FROM flights ORDER BY distance DESC, carrier, flight LIMIT 2
SELECT carrier, flight_number FROM flights ORDER BY distance DESC, carrier, flight_number LIMIT 2

-- case: two wrong at once
-- answer: SELECT carrier, avg(dep_delay), avg(arr_delay) FROM flights GROUP BY carrier
SELECT carrier, AVG(departure_delay), AVG(arrival_delay) FROM flights GROUP BY carrier

-- case: insert into a misspelt column
-- after: SELECT carrier, name FROM airlines WHERE carrier = 'ZZ'
-- shows: [["ZZ", "Zig Zag"]]
INSERT INTO airlines (carrier, nmae) VALUES ('ZZ', 'Zig Zag')

-- case: update of a misspelt column
-- after: SELECT name FROM airlines WHERE carrier = 'UA'
-- shows: [["United"]]
UPDATE airlines SET nme = 'United' WHERE carrier = 'UA'

-- case: a column inside a subquery
-- answer: SELECT count(*) FROM flights WHERE tailnum IN (SELECT tailnum FROM planes WHERE engines = 4)
SELECT COUNT(*) FROM flights WHERE tailnum IN (SELECT tail_num FROM planes WHERE engines = 4)

-- case: the column of the other table, by alias
-- answer: SELECT f.carrier, p.manufacturer FROM flights f JOIN planes p ON f.tailnum = p.tailnum ORDER BY f.time_hour, f.carrier, f.flight LIMIT 3
SELECT p.carrier, p.manufacturer FROM flights f JOIN planes p ON f.tailnum = p.tailnum ORDER BY f.time_hour, f.carrier, f.flight LIMIT 3
