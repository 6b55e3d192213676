-- Pictures that resemble each other: perceptual hashes that differ in few bits agree in at least one of their four parts
-- of 16 bits, in all likelihood; each part has an index (sql/functions/upload.sql).
drop index uploads_dhash;
create index uploads_part_0 on uploads ((dhash >> 48 & 65535)) where dhash is not null;
create index uploads_part_1 on uploads ((dhash >> 32 & 65535)) where dhash is not null;
create index uploads_part_2 on uploads ((dhash >> 16 & 65535)) where dhash is not null;
create index uploads_part_3 on uploads ((dhash & 65535)) where dhash is not null;
