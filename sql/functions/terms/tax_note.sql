CREATE OR REPLACE FUNCTION tax_note(treatment text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE treatment
        WHEN 'reverse-charge' THEN 'Reverse charge: the recipient is liable for the tax'
            ' (Article 196 of Directive 2006/112/EC).'
        WHEN 'exempt' THEN 'Exempt from tax.'
        WHEN 'zero' THEN 'Zero-rated.'
        ELSE '' END;
COMMENT ON FUNCTION tax_note IS 'What an invoice has to say about its tax; empty if nothing.';
