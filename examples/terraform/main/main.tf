resource "aws_dms_replication_subnet_group" "this" {
  replication_subnet_group_id          = var.name
  replication_subnet_group_description = "Subnets of ${var.name}"
  subnet_ids                           = var.subnet_ids
}

resource "aws_dms_replication_instance" "this" {
  replication_instance_id      = var.name
  replication_instance_class   = var.instance_class
  allocated_storage            = 50
  apply_immediately            = true
  auto_minor_version_upgrade   = false
  multi_az                     = false
  preferred_maintenance_window = "sun:06:00-sun:06:30"
  publicly_accessible          = false
  replication_subnet_group_id  = aws_dms_replication_subnet_group.this.id
}

resource "aws_dms_certificate" "source" {
  count = var.source_ca_file == null ? 0 : 1

  certificate_id  = "${var.name}-source-ca"
  certificate_pem = file(var.source_ca_file)
}

resource "aws_dms_endpoint" "source" {
  endpoint_id                 = "${var.name}-source"
  endpoint_type               = "source"
  engine_name                 = var.source_engine
  server_name                 = var.source_host
  port                        = var.source_port
  database_name               = var.source_database
  username                    = var.source_username
  password                    = var.source_password
  ssl_mode                    = var.source_ca_file == null ? "none" : "verify-full"
  certificate_arn             = one(aws_dms_certificate.source[*].certificate_arn)
  extra_connection_attributes = "executeTimeout=300"
  pause_replication_tasks     = true
}

resource "aws_dms_endpoint" "target" {
  endpoint_id                 = "${var.name}-target"
  endpoint_type               = "target"
  engine_name                 = var.target_engine
  server_name                 = var.target_host
  port                        = var.target_port
  database_name               = var.target_database
  username                    = var.target_username
  password                    = var.target_password
  ssl_mode                    = "none"
  extra_connection_attributes = "executeTimeout=300"
  pause_replication_tasks     = true
}

resource "aws_dms_event_subscription" "tasks" {
  name             = "${var.name}-tasks"
  sns_topic_arn    = var.events_topic_arn
  source_type      = "replication-task"
  event_categories = ["failure", "state change", "deletion"]
}

resource "aws_dms_event_subscription" "instance" {
  name             = "${var.name}-instance"
  sns_topic_arn    = var.events_topic_arn
  source_type      = "replication-instance"
  source_ids       = [aws_dms_replication_instance.this.replication_instance_id]
  event_categories = ["failure", "failover", "low storage"]
}
