/* The schema of the JSON report, byte by byte. CMake says where it is. */
  .section .rodata
  .global volley_report_schema_begin
  .global volley_report_schema_end
  volley_report_schema_begin: .incbin VOLLEY_REPORT_SCHEMA
  volley_report_schema_end: .byte 0
  .section .note.GNU-stack, "", %progbits
