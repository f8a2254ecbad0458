data "aws_dms_replication_instance" "this" {
  replication_instance_id = var.name
}

data "aws_dms_endpoint" "source" {
  endpoint_id = "${var.name}-source"
}

data "aws_dms_endpoint" "target" {
  endpoint_id = "${var.name}-target"
}

resource "aws_dms_replication_task" "this" {
  replication_task_id       = var.task_id
  migration_type            = var.migration_type
  replication_instance_arn  = data.aws_dms_replication_instance.this.replication_instance_arn
  source_endpoint_arn       = data.aws_dms_endpoint.source.endpoint_arn
  target_endpoint_arn       = data.aws_dms_endpoint.target.endpoint_arn
  table_mappings            = file("${path.module}/${var.table_mappings_file}")
  replication_task_settings = file("${path.module}/task-settings.json")
  start_replication_task    = var.start

  tags = {
    task = var.task_id
  }
}
