-- columns: marked boolean
SELECT EXISTS (SELECT FROM sandbox) AS marked
